"""The kinds of value a fact of the contract can have, and how each is written in an edition's file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# The documents say "30 GB" and "12 MB" and never which kind. We read powers of 1024: gateways and node disks count
# that way, and of the two readings it is the one that never refuses what the platform would have taken. A judge that
# wants to be careful warns close to the limit instead of moving it.
UNITS_OF_SIZE = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
UNITS_OF_TIME = {"s": 1, "min": 60, "h": 3600, "days": 86400}

KB, MB, GB = UNITS_OF_SIZE["KB"], UNITS_OF_SIZE["MB"], UNITS_OF_SIZE["GB"]


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How a value is read from TOML (ValueError says what was expected), and shown to people given what was written."""

    name: str
    read: Callable[[object], T]
    show: Callable[[T, object], str]


@dataclass(frozen=True)
class Fact(Generic[T]):
    """Something an edition of the contract may state: its key in the files, its kind, and what it means."""

    key: str
    kind: Kind[T] = field(repr=False, compare=False)
    meaning: str = field(repr=False, compare=False)


def _amount(units: dict[str, int], example: str) -> Callable[[object], int]:
    shape = re.compile(rf"(\d+) ?({'|'.join(units)})")

    def read(value: object) -> int:
        match = shape.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"expected an amount with its unit, such as {example!r} (units: {', '.join(units)})")
        return int(match[1]) * units[match[2]]

    return read


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("expected a whole number, 0 or more")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")  # noqa: TRY004 - one exception for every wrongly typed fact
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("expected a text that is not empty")
    return value


def _path(value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError("expected a path that begins with '/'")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise ValueError("expected a list of texts, at least one")
    return tuple(value)


def _as_written(_: object, written: object) -> str:
    return str(written)


def _yes_or_no(yes: bool, _: object) -> str:  # noqa: FBT001 - shown, not switched on
    return "yes" if yes else "no"


def _listed(items: tuple[str, ...], _: object) -> str:
    return ", ".join(items)


size = Kind[int]("size in bytes", _amount(UNITS_OF_SIZE, "30 GB"), _as_written)
duration = Kind[int]("duration in seconds", _amount(UNITS_OF_TIME, "40 s"), _as_written)
count = Kind[int]("whole number", _count, _as_written)
flag = Kind[bool]("yes or no", _flag, _yes_or_no)
text = Kind[str]("text", _text, _as_written)
path = Kind[str]("path", _path, _as_written)
texts = Kind[tuple[str, ...]]("list of texts", _texts, _listed)


def choice(*options: str) -> Kind[str]:
    """One of a few ways to behave, each of which we can do."""

    def read(value: object) -> str:
        if value not in options:
            raise ValueError(f"expected one of {', '.join(options)}")
        return str(value)

    return Kind[str](f"one of {', '.join(options)}", read, _as_written)


def pattern(*placeholders: str) -> Kind[str]:
    """A text with places in braces that are filled in later; only the named ones may occur."""

    def read(value: object) -> str:
        found = re.findall(r"\{([^{}]*)\}", _text(value))
        strange = sorted(set(found) - set(placeholders))
        if strange or not found:
            expected = ", ".join(f"{{{name}}}" for name in placeholders)
            raise ValueError(f"expected a pattern with {expected}" + (f", not {{{strange[0]}}}" if strange else ""))
        return str(value)

    return Kind[str](f"pattern with {', '.join(f'{{{name}}}' for name in placeholders)}", read, _as_written)
