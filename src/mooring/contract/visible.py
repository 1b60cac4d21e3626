"""Text that came out of images, made safe to show: nothing in it moves a cursor, turns a line round or never ends."""

from __future__ import annotations

import unicodedata

LINE_LENGTH = 2000
LINES = 60
# Controls; invisible and direction-turning characters; bytes that were no UTF-8; separators that break lines.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def visible(text: str, *, length: int = LINE_LENGTH) -> str:
    """The text in one line, at most `length` characters of it: what would not be seen stands there as an escape."""
    cut = text[:length]
    shown = "".join(_shown(char) for char in cut)
    left = len(text) - len(cut)
    return f"{shown}... ({left} more characters)" if left else shown


def visible_lines(text: str, *, lines: int = LINES) -> tuple[str, ...]:
    """The text line by line, each of them visible; what is beyond the first `lines` is only counted."""
    found = text.strip("\n").split("\n")
    # A log has tabs, and line ends of a terminal; neither can mislead.
    shown = [visible(line.removesuffix("\r").replace("\t", "    ")).rstrip(" ") for line in found[:lines]]
    left = len(found) - len(shown)
    return (*shown, f"... ({left} more lines)") if left else tuple(shown)


def _shown(char: str) -> str:
    code = ord(char)
    if unicodedata.category(char) not in _HIDDEN and not _never_a_character(code):
        return char
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if short:
        return short
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _never_a_character(code: int) -> bool:
    # XML cannot hold the first two, and no text means any of them.
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 - the standard's own numbers
