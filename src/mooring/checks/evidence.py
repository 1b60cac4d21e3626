"""What rules judge by: each piece obtained when a rule first asks for it, once, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring.errors import MooringError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class NotAsked(Exception):
    """Nobody wanted this looked at, or the subject has no such thing; the rule is SKIPPED, with this reason."""


class NotKnown(Exception):
    """It could not be found out; the rule is UNKNOWN, with this reason."""


class Evidence:
    """Suppliers by the name that rules give their parameters; each is called at most once, also when it fails.

    A supplier may raise NotAsked or NotKnown; Unavailable counts as NotKnown. A name nobody supplies is NotAsked.
    """

    def __init__(self, suppliers: Mapping[str, Callable[[], Any]]) -> None:
        self._suppliers = dict(suppliers)
        self._values: dict[str, Any] = {}
        self._failures: dict[str, Exception] = {}

    def __getitem__(self, name: str) -> Any:
        """The piece of that name. NotAsked or NotKnown, the same each time, when there is none; Invalid as it comes."""
        if name in self._failures:
            raise self._failures[name]
        if name not in self._values:
            supplier = self._suppliers.get(name)
            if supplier is None:
                raise NotAsked(f"this subject has no {name.replace('_', ' ')}")
            try:
                self._values[name] = supplier()
            except Unavailable as error:
                self._failures[name] = NotKnown(error.message)
                raise self._failures[name] from error
            except (NotAsked, NotKnown, MooringError) as error:
                self._failures[name] = error
                raise
        return self._values[name]
