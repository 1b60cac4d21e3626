"""An edition: what one provider, from one date on, says an image must be, each fact with its source document."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from mooring.contract.names import did_you_mean
from mooring.contract.vocabulary import FACTS
from mooring.errors import Invalid, NotFound, NotStated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mooring.contract.fact import Fact

T = TypeVar("T")
DEFAULT = "otc-2022"
# The image label that says which edition an image was made for.
EDITION_LABEL = "io.mooring.edition"
_KEYS = frozenset({"title", "since", "extends", "withdraw", "fact"})


@dataclass(frozen=True)
class Stated:
    """A fact's value, the text it was written as, the document that says so, and the edition it came in with."""

    value: Any
    text: str
    source: str
    edition: str


@dataclass(frozen=True)
class Edition:
    """The facts of one edition; `edition[FACT]` is the typed value: bytes for a size, seconds for a duration."""

    name: str
    title: str
    since: date
    extends: str | None
    facts: Mapping[str, Stated] = field(repr=False, hash=False)

    def __getitem__(self, fact: Fact[T]) -> T:
        """The fact's value. NotStated, naming the editions that do state it, where this one is silent."""
        stated = self.facts.get(fact.key)
        if stated is None:
            others = [name for name in editions() if fact in edition(name)] if self.name in editions() else []
            raise NotStated(
                f"the edition {self.name} does not state {fact.key} ({fact.meaning})",
                hint=f"stated in {', '.join(others)}" if others else "no edition states it",
            )
        value: T = stated.value
        return value

    def __contains__(self, fact: Fact[Any]) -> bool:
        return fact.key in self.facts

    def get(self, fact: Fact[T], default: T) -> T:
        """The fact's value, or the default where the edition is silent."""
        stated = self.facts.get(fact.key)
        return default if stated is None else stated.value

    def text(self, fact: Fact[Any]) -> str:
        """The fact as people write it, with its unit: "30 GB". NotStated where the edition is silent."""
        self[fact]
        return self.facts[fact.key].text

    def source(self, fact: Fact[Any]) -> str:
        """The id of the document that states the fact. NotStated where the edition is silent."""
        self[fact]
        return self.facts[fact.key].source

    def rows(self) -> Iterator[tuple[Fact[Any], Stated]]:
        """Every fact that is stated, in the vocabulary's order."""
        return ((fact, self.facts[key]) for key, fact in FACTS.items() if key in self.facts)


def read_edition(name: str, text: str, *, base: Edition | None = None) -> Edition:
    """The edition that TOML text describes, on top of the one it extends.

    Invalid, naming the edition and the key, for a key nobody knows, a value of the wrong kind, a fact without a source,
    or the withdrawal of a fact that was never stated.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"edition {name} is not TOML: {error}") from error
    if strange := sorted(set(document) - _KEYS):
        raise Invalid(f"edition {name}: unknown key {strange[0]!r}", hint=did_you_mean(strange[0], _KEYS))
    since, title = document.get("since"), document.get("title")
    if type(since) is not date or not isinstance(title, str):
        raise Invalid(f"edition {name} needs a title and a date, since = 2024-06-10")
    withdrawn, stated = document.get("withdraw", []), document.get("fact", {})
    if not isinstance(withdrawn, list) or not isinstance(stated, dict):
        raise Invalid(f"edition {name}: withdraw must be a list and fact must be a table")
    facts = dict(base.facts) if base else {}
    for key in withdrawn:
        if facts.pop(key, None) is None:
            raise Invalid(f"edition {name} withdraws {key!r}, which the edition it extends does not state")
    for key, entry in _flat(stated):
        facts[key] = _stated(name, key, entry)
    return Edition(name, title, since, base.name if base else None, MappingProxyType(facts))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Facts by their dotted key, whether the file wrote [fact."a.b"] or [fact.a.b]."""
    for key, entry in table.items():
        nested = isinstance(entry, dict) and all(isinstance(value, dict) for value in entry.values()) and entry
        if nested and prefix + key not in FACTS:
            yield from _flat(entry, f"{prefix}{key}.")
        else:
            yield prefix + key, entry


def _stated(name: str, key: str, entry: object) -> Stated:
    fact = FACTS.get(key)
    if fact is None:
        raise Invalid(f"edition {name}: no fact is called {key!r}", hint=did_you_mean(key, FACTS))
    if not isinstance(entry, dict) or set(entry) != {"value", "source"}:
        raise Invalid(f"edition {name}: {key} needs a value and a source, and nothing else")
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        raise Invalid(f"edition {name}: {key} has no source", hint="name the document that says so")
    try:
        value = fact.kind.read(entry["value"])
    except ValueError as error:
        raise Invalid(f"edition {name}: {key} is {entry['value']!r}: {error}") from error
    return Stated(value, fact.kind.show(value, entry["value"]), entry["source"], name)


@functools.cache
def editions() -> tuple[str, ...]:
    """The names of all editions, the default first, the rest by name."""
    files = resources.files("mooring.contract").joinpath("editions").iterdir()
    names = sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
    return (DEFAULT, *(name for name in names if name != DEFAULT))


@functools.cache
def edition(name: str = DEFAULT) -> Edition:
    """The edition of that name. NotFound, listing all names, if there is none."""
    if name not in editions():
        raise NotFound(f"there is no edition {name!r}", hint=f"editions: {', '.join(editions())}")
    text = resources.files("mooring.contract").joinpath("editions", f"{name}.toml").read_text(encoding="utf-8")
    base = tomllib.loads(text).get("extends")
    return read_edition(name, text, base=edition(base) if base else None)
