"""Text that people took for JSON becomes JSON, its blanks and line breaks kept."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from mooring.contract.notes import Notes
from mooring.contract.reading import read_text

_TOKEN = re.compile(
    r"""(?P<comment>//[^\r\n]*|\#[^\r\n]*|/\*.*?\*/)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<sign>[{}\[\],:])
    |(?P<blank>[ \t\r\n]+)
    |(?P<odd>[^\S \t\r\n]|[\u200b\ufeff])
    |(?P<word>[^\s{}\[\],:"'\#/\u200b\ufeff]+)""",
    re.DOTALL | re.VERBOSE,
)
_NO_WIDTH = "\u200b\ufeff"
_LINE_END = re.compile(r"[ \t]*(?:\r\n?|\n|$)")


def strict(text: str) -> str:
    """The same document without comments, commas before brackets, single quotes and other languages' words.

    The text must be one that the contract's reader takes.
    """
    pieces: list[str] = []
    comma = -1  # where in `pieces` a comma lies that nothing has followed yet
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            pieces.append(text[at:])
            break
        at = found.end()
        if found["comment"] is not None:
            at = _without_comment(pieces, text, at)
        elif found["blank"] is not None:
            pieces.append(found["blank"])
        elif found["odd"] is not None:
            pieces.append("" if found["odd"] in _NO_WIDTH else " ")
        else:
            if found["sign"] in ("}", "]") and comma >= 0:
                pieces[comma] = ""
            comma = len(pieces) if found["sign"] == "," else -1
            pieces.append(found["sign"] or _value(found[0]))
    return "".join(pieces)


def _without_comment(pieces: list[str], text: str, at: int) -> int:
    """Take back the blanks before a comment that ends its line, and the line itself if nothing else is on it."""
    end = _LINE_END.match(text, at)
    if end is None:
        return at
    last = pieces[-1] if pieces else ""
    alone = not last.strip() and (not pieces or last.rstrip(" \t").endswith(("\n", "\r")))
    if pieces and not last.strip():
        pieces[-1] = last.rstrip(" \t")
    if alone:
        return end.end()
    return at + len(end[0]) - len(end[0].lstrip(" \t"))


def _value(token: str) -> str:
    """A text, a number or a word as JSON has it; unchanged where it already is."""
    try:
        value = json.loads(token, parse_constant=_refuse)
        if isinstance(value, str):
            value.encode()
    except ValueError:
        return json.dumps(read_text(token, Notes("")).value, ensure_ascii=False)
    return token


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
