"""What both databases keep as a text."""

from __future__ import annotations


def is_text(value: str) -> bool:
    """Whether a database keeps it: it has no NUL, and all of it can be written as UTF-8."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def as_text(value: str) -> str:
    """The value, with escapes written out for what no database keeps."""
    return value.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
