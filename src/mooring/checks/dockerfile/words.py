"""The words of a Dockerfile's instructions: quotes, name=value pairs, and variables put in where they are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\]|["'\\])+""", re.DOTALL)
_PIECE = re.compile(
    r"""'(?P<single>[^']*)'|"(?P<double>(?:\\.|[^"\\])*)"|\\(?P<escaped>.)|(?P<plain>[^'"\\]+|.)""", re.DOTALL
)
_VARIABLE = re.compile(r"\\(?P<escaped>.)|\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?:(?P<sign>:?[-+])(?P<word>[^}]*))?\})")
_LEGACY = re.compile(r"(\S+)\s+(.*)", re.DOTALL)


def words(text: str) -> list[str]:
    """The words as written, quotes kept."""
    return _WORD.findall(text)


def unquoted(word: str) -> str:
    """The word without its quotes, nothing put in."""
    return expanded(word, None)


def expanded(word: str, values: Mapping[str, str] | None) -> str:
    """The word without its quotes, variables put in outside of single quotes; an unknown one stays as it is written."""
    parts = []
    for piece in _PIECE.finditer(word):
        if piece["single"] is not None:
            parts.append(piece["single"])
        elif piece["escaped"] is not None:
            parts.append(piece["escaped"])
        else:
            text = piece["double"] if piece["double"] is not None else piece["plain"]
            parts.append(_VARIABLE.sub(lambda found: _value(found, values), text))
    return "".join(parts)


def pairs(text: str, *, lone: bool = False) -> Iterator[tuple[str, str | None]]:
    """The name=value pairs of ENV, LABEL or ARG, values as written; also ENV's old form, a name and the rest.

    With `lone` a word without = is a name that has no value.
    """
    found = words(text)
    if found and "=" not in found[0] and not lone:
        if old := _LEGACY.fullmatch(text):
            yield unquoted(old[1]), old[2].strip()
        return
    for word in found:
        name, sign, value = word.partition("=")
        if sign or lone:
            yield unquoted(name), value if sign else None


def _value(found: re.Match[str], values: Mapping[str, str] | None) -> str:
    if found["escaped"] is not None:
        return found["escaped"] if found["escaped"] in '$"\\' else found[0]
    if values is None:
        return found[0]
    name = found["name"] or found["braced"]
    value, sign = values.get(name), found["sign"] or ""
    is_set = value is not None and (value != "" or not sign.startswith(":"))
    if sign.endswith("+"):
        return expanded(found["word"], values) if is_set else ""
    if is_set:
        return value or ""
    return expanded(found["word"], values) if sign else found[0]
