"""Whole numbers as they stand in commands and files: ports, user ids, places of arguments."""

from __future__ import annotations

MOST_DIGITS = 10


def whole(text: str) -> int | None:
    """The number, None if the text is none that a kernel or a shell would take."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
