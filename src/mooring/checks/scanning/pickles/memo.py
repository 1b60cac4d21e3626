"""What a pickle has put aside to use again: strings and imports kept, everything else only counted."""

from __future__ import annotations

from typing import Any

from mooring.checks.scanning.pickles.reading import OPAQUE

# Beyond the first number only strings that look like names of modules are kept, beyond the second nothing more.
MOST_STRINGS = 200_000
MOST_KEPT = 400_000
MOST_PLACES = 4_000_000


class TooMuch(Exception):
    """More is put aside than is followed."""


class Memo:
    """Values by number. Numbers usually come in order, so they lie in a list; a memo may go on where another stands."""

    def __init__(self, parent: Memo | None = None) -> None:
        self._parent = parent
        self._before = len(parent) if parent else 0
        self._ordered: list[Any] = []
        self._others: dict[int, Any] = {}
        self._kept = 0

    def __len__(self) -> int:
        """How many numbers are taken: the one that the opcode without a number takes next."""
        return self._before + len(self._ordered) + len(self._others)

    def __contains__(self, key: int) -> bool:
        return (
            0 <= key - self._before < len(self._ordered)
            or key in self._others
            or (self._parent is not None and key in self._parent)
        )

    def get(self, key: int) -> Any:
        """The value of that number; OPAQUE when it was not kept, or there is none."""
        if 0 <= key - self._before < len(self._ordered):
            return self._ordered[key - self._before]
        if key in self._others:
            return self._others[key]
        return self._parent.get(key) if self._parent is not None else OPAQUE

    def put(self, key: int, value: Any) -> None:
        """Take a number, or change what it stands for. TooMuch when the numbers are more than any model needs."""
        value = self._worth_keeping(value)
        place = key - self._before
        if 0 <= place < len(self._ordered):
            self._ordered[place] = value
        elif place == len(self._ordered) and key not in self._others:
            self._ordered.append(value)
        else:
            self._others[key] = value
        if len(self._ordered) + len(self._others) > MOST_PLACES:
            raise TooMuch

    def _worth_keeping(self, value: Any) -> Any:
        if value is OPAQUE or self._kept >= MOST_KEPT:
            return OPAQUE
        if self._kept >= MOST_STRINGS and isinstance(value, str) and not ("." in value or "_" in value):
            return OPAQUE
        self._kept += 1
        return value
