"""Reading `platform.toml`: every key is known, every value of its type, and a mistake is named with its place."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.contract import fact
from mooring.contract.names import did_you_mean
from mooring.contract.regular_file import read_regular
from mooring.control.flavors import Flavor
from mooring.errors import Invalid
from mooring.storage import StorageSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# It has a handful of settings.
MAX_BYTES = 1 << 20
PAIR = ("access_key", "secret_key", "session_token")


def read_toml(file: Path) -> dict[str, Any]:
    """What the file says; nothing when there is none. Invalid when it is no regular file, too large, or not TOML."""
    try:
        data = read_regular(file, at_most=MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise Invalid(f"{file} has more than {MAX_BYTES} bytes", hint="is this the right file?")
        return tomllib.loads(data.decode("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} is not TOML: {error}") from error


def table(kind: type[Any], said: object, place: str, *, build: Callable[..., Any] | None = None) -> Any:
    """A dataclass of text, numbers and sizes from a TOML table; `place` is what messages call the table.

    `build` makes something else of the values.
    """
    if not isinstance(said, dict):
        raise Invalid(f"{place} is {said!r}; it must be a table")
    known = {each.name: each for each in fields(kind)}
    values = {}
    for key, value in said.items():
        name = key if key in known else f"{key}_bytes"
        if name not in known:
            raise Invalid(f"{place}: there is no setting {key!r}", hint=did_you_mean(key, map(_written, known)))
        if name in PAIR and not isinstance(value, str):
            raise Invalid(f"{place}: {key} must be a text in quotes")  # which is not shown
        values[name] = _VALUES[str(known[name].type)](f"{place}: {key}", value)
    if missing := sorted(_written(name) for name, each in known.items() if _needed(each) and name not in values):
        raise Invalid(f"{place} does not say {', '.join(missing)}")
    return (build or kind)(**values)


def storage(said: Mapping[str, Any], environ: Mapping[str, str]) -> StorageSettings:
    """What the environment says of storage, and where it is silent, what the file says. Invalid as StorageSettings."""
    told, silent = StorageSettings.from_environment(environ), StorageSettings()
    names = [one.name for one in fields(told) if getattr(told, one.name) != getattr(silent, one.name)]
    # A session belongs to its pair of keys.
    kept = {key: value for key, value in said.items() if key not in PAIR or "access_key" not in names}
    return replace(silent, **{**kept, **{name: getattr(told, name) for name in names}})


def flavor_list(said: object, place: str) -> tuple[Flavor, ...]:
    """The flavors of a list of tables; their names differ."""
    if not isinstance(said, list):
        raise Invalid(f"{place} is {said!r}; it must be a list of tables", hint="write [[flavors]] above each")
    found = tuple(table(Flavor, each, f"{place}, number {number}") for number, each in enumerate(said, 1))
    if twice := sorted({each.name for each in found if sum(other.name == each.name for other in found) > 1}):
        raise Invalid(f"{place}: {twice[0]!r} is there twice", hint="each flavor needs a name of its own")
    return found


def text(place: str, value: object) -> str:
    """The value, if it is a text."""
    if not isinstance(value, str):
        raise Invalid(f"{place} is {value!r}; it must be a text in quotes")
    return value


def size(place: str, value: object) -> int:
    """Bytes, from a number of them or an amount with its unit."""
    try:
        return _whole(place, value) if isinstance(value, int) else fact.size.read(value)
    except ValueError as error:
        raise Invalid(f"{place} is {value!r}: {error}") from error


def _written(name: str) -> str:
    """How a file calls it: sizes have their unit in the value."""
    return name.removesuffix("_bytes")


def _needed(each: Any) -> bool:
    return repr(each.default) == repr(each.default_factory)  # both are MISSING


def _whole(place: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Invalid(f"{place} is {value!r}; it must be a whole number, 0 or more")
    return value


def _number(place: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise Invalid(f"{place} is {value!r}; it must be a number above 0")
    return float(value)


def _paths(place: str, value: object) -> tuple[Path, ...]:
    return tuple(Path(one) for one in _words(place, value))


def _words(place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Invalid(f"{place} is {value!r}; it must be a list of texts")
    return tuple(text(place, one) for one in value)


def _flag(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(f"{place} is {value!r}; it must be true or false")
    return value


_VALUES: Mapping[str, Callable[[str, object], Any]] = {
    "str": text,
    "int": size,
    "int | None": _whole,
    "float": _number,
    "bool": _flag,
    "tuple[str, ...]": _words,
    "tuple[Path, ...] | None": _paths,
}
