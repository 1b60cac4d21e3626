"""JSON as people write it into config.json: comments, trailing commas and their kin, every value with its place."""

from __future__ import annotations

import bisect
import math
import re
from typing import TYPE_CHECKING, Any

from mooring.contract.decoding import decoded
from mooring.contract.node import Node, Place, shortened
from mooring.contract.notes import MUST, SHOULD, Notes

if TYPE_CHECKING:
    from mooring.errors import Invalid

# Real files nest 20 deep; a schema twice as deep as this could not be shown to anyone. Keeps recursion within bounds.
MAX_DEPTH = 100
# Longer numbers lose digits in every reader; Python itself refuses to print beyond 4300.
MAX_NUMBER = 400

_BLANK = re.compile(r"[ \t\r\n]*")
_ODD_BLANK = re.compile("[\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\x0b\x0c]+")
_COMMENT = re.compile(r"//[^\r\n]*|#[^\r\n]*|/\*.*?\*/", re.DOTALL)
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]*'), "'": re.compile(r"[^'\\\x00-\x1f]*")}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![\w.])", re.ASCII)
_WORD = re.compile(r"-?[A-Za-z]+")
_HEX = re.compile(r"[0-9a-fA-F]{4}")
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_OTHER_WORDS = {
    "True": (True, "true"),
    "False": (False, "false"),
    "None": (None, "null"),
    "undefined": (None, "null"),
    "NaN": (None, "null"),
    "nan": (None, "null"),
    "Infinity": (None, "null"),
    "-Infinity": (None, "null"),
}
# What a Chinese keyboard or a word processor writes for the characters of JSON.
_WIDE = {"“": '"', "”": '"', "‘": "'", "’": "'", "，": ",", "：": ":", "｛": "{", "｝": "}", "【": "[", "】": "]"}  # noqa: RUF001 - they are the mistakes looked for


def read(data: bytes, notes: Notes) -> Node:
    """The value in the file. What JSON does not allow but people write is noted; what makes no sense is Invalid."""
    return read_text(decoded(data, notes), notes)


def read_text(text: str, notes: Notes) -> Node:
    """The value in the text; places count from its first character."""
    return _Reader(text, notes).document()


class _Reader:
    def __init__(self, text: str, notes: Notes) -> None:
        self.text = text
        self.notes = notes
        self.at = 0
        self.lines = [0] + [match.end() for match in re.finditer(r"\r\n?|\n", text)]
        self.comments: list[int] = []
        self.odd_blanks: list[int] = []

    def document(self) -> Node:
        self.blank()
        if self.at == len(self.text):
            raise self.refusal("the file is empty; a config.json holds one JSON object")
        node = self.value(0)
        self.blank()
        if self.at < len(self.text):
            raise self.refusal(
                f"the document ends before this, but {self.here()} follows", hint="is there one bracket too many?"
            )
        if self.comments:
            count = f"{len(self.comments)} comments" if len(self.comments) > 1 else "a comment"
            self.note("CFG-JSON-01", self.comments[0], f"{count} in the file; JSON has none", hint="remove them")
        if self.odd_blanks:
            self.note("CFG-JSON-08", self.odd_blanks[0], "a blank that JSON does not know", hint="type plain spaces")
        return node

    def place(self, at: int) -> Place:
        line = bisect.bisect_right(self.lines, at)
        return Place(line, at - self.lines[line - 1] + 1)

    def here(self) -> str:
        return (
            repr(shortened(self.text[self.at : self.at + 24].split("\n")[0], 20))
            if self.at < len(self.text)
            else "the end"
        )

    def refusal(self, message: str, *, at: int | None = None, hint: str = "") -> Invalid:
        return self.notes.refusal(self.place(self.at if at is None else at), message, hint=hint)

    def note(self, rule: str, at: int, message: str, *, hint: str, reading: tuple[str, str] = ("", "")) -> None:
        seen, read_as = reading
        self.notes.add(rule, SHOULD, self.place(at), message, hint=hint, seen=seen, read_as=read_as)

    def blank(self) -> None:
        while True:
            blank = _BLANK.match(self.text, self.at)
            self.at = blank.end() if blank else self.at
            if comment := _COMMENT.match(self.text, self.at):
                self.comments.append(self.at)
                self.at = comment.end()
            elif odd := _ODD_BLANK.match(self.text, self.at):
                self.odd_blanks.append(self.at)
                self.at = odd.end()
            else:
                return

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.refusal(f"nested deeper than {MAX_DEPTH}")
        start = self.at
        first = self.text[start : start + 1]
        if first == "{":
            return self.object(depth)
        if first == "[":
            return self.list(depth)
        if first in ('"', "'"):
            return Node(self.string(), self.place(start))
        if number := _NUMBER.match(self.text, start):
            return self.number(number)
        return self.word()

    def object(self, depth: int) -> Node:
        start, members = self.at, dict[str, Node]()
        while self.another("}", start, first=not members):
            at = self.at
            if self.text[at : at + 1] not in ('"', "'"):
                raise self.refusal(f"expected a name in double quotes, found {self.here()}", hint=self.wide_hint())
            name = self.string()
            self.blank()
            if self.text[self.at : self.at + 1] != ":":
                raise self.refusal(
                    f"expected ':' after the name {shortened(name)!r}, found {self.here()}", hint=self.wide_hint()
                )
            self.at += 1
            self.blank()
            node = self.value(depth + 1)
            if name in members:
                self.duplicate(name, members.pop(name), node, at)
            members[name] = Node(node.value, node.place, self.place(at), node.literal)
        return Node(members, self.place(start))

    def list(self, depth: int) -> Node:
        start, items = self.at, list[Node]()
        while self.another("]", start, first=not items):
            items.append(self.value(depth + 1))
        return Node(tuple(items), self.place(start))

    def another(self, end: str, start: int, *, first: bool) -> bool:
        """Step over the bracket or the comma before the next member; False when the end was reached instead."""
        bracket = self.text[start]
        if first:
            self.at += 1
        else:
            self.blank()
        comma = self.at if not first and self.text[self.at : self.at + 1] == "," else None
        if comma is not None:
            self.at += 1
        self.blank()
        if self.text[self.at : self.at + 1] == end:
            if comma is not None:
                self.note("CFG-JSON-02", comma, f"a comma before {end!r}", hint="remove it")
            self.at += 1
            return False
        if self.at == len(self.text):
            raise self.refusal(f"the {bracket!r} that opens here is never closed", at=start)
        if not first and comma is None:
            raise self.refusal(f"expected ',' or {end!r}, found {self.here()}", hint=self.wide_hint())
        return True

    def duplicate(self, name: str, earlier: Node, later: Node, at: int) -> None:
        line = self.place(at).line
        same = earlier.plain() == later.plain()
        self.notes.add(
            "CFG-JSON-03",
            SHOULD if same else MUST,
            self.place(at),
            f"{shortened(name)!r} is given twice, first in line {earlier.name.line}"
            + ("" if same else f"; the value in line {line} is read"),
            hint="keep one of them",
            seen=shortened(str(earlier.plain())),
            read_as=shortened(str(later.plain())),
        )

    def string(self) -> str:
        start, quote, parts = self.at, self.text[self.at], list[str]()
        self.at += 1
        while True:
            plain = _PLAIN[quote].match(self.text, self.at)
            self.at = plain.end() if plain else self.at
            parts.append(plain[0] if plain else "")
            char = self.text[self.at : self.at + 1]
            if char == quote:
                break
            if char in ("", "\n", "\r"):
                raise self.refusal("the text that begins here is not closed on its line", at=start)
            parts.append(self.escape() if char == "\\" else self.control())
        self.at += 1
        if quote == "'":
            self.note("CFG-JSON-04", start, "a text in single quotes", hint='write "..."')
        return self.paired("".join(parts), start)

    def escape(self) -> str:
        start, char = self.at, self.text[self.at + 1 : self.at + 2]
        if char == "u" and (digits := _HEX.match(self.text, start + 2)):
            self.at = digits.end()
            return chr(int(digits[0], 16))
        if char in _ESCAPES and char:
            self.at += 2
            return _ESCAPES[char]
        if char in ("", "\n", "\r"):
            raise self.refusal("a backslash at the end of a line")
        self.note("CFG-JSON-06", start, f"'\\{char}' is no escape of JSON; the backslash was kept", hint="write \\\\")
        self.at += 1
        return "\\"

    def control(self) -> str:
        char = self.text[self.at]
        self.note("CFG-JSON-07", self.at, f"a raw control character ({char!r}) in a text", hint="write it as an escape")
        self.at += 1
        return char

    def paired(self, text: str, start: int) -> str:
        """The text with its surrogate pairs joined; half a pair is no character and cannot be written anywhere."""
        if not any("\ud800" <= char <= "\udfff" for char in text):
            return text
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if "\ufffd" in joined:
            self.note(
                "CFG-JSON-06", start, "half of a surrogate pair; read as U+FFFD", hint="write the whole character"
            )
        return joined

    def number(self, match: re.Match[str]) -> Node:
        literal = match[0]
        value = math.inf if len(literal) > MAX_NUMBER else float(literal) if match[1] or match[2] else int(literal)
        if math.isinf(value):
            raise self.refusal(f"the number {shortened(literal)} is too large")
        self.at = match.end()
        return Node(value, self.place(match.start()), None, literal)

    def word(self) -> Node:
        start, match = self.at, _WORD.match(self.text, self.at)
        word = match[0] if match else ""
        if word in _WORDS:
            self.at += len(word)
            return Node(_WORDS[word], self.place(start))
        if word in _OTHER_WORDS:
            value, read_as = _OTHER_WORDS[word]
            self.note("CFG-JSON-05", start, f"{word} is not JSON", hint=f"write {read_as}", reading=(word, read_as))
            self.at += len(word)
            return Node(value, self.place(start))
        raise self.refusal(f"expected a value, found {self.here()}", hint=self.wide_hint())

    def wide_hint(self) -> str:
        char = self.text[self.at : self.at + 1]
        return f"{char} is not {_WIDE[char]}: type it with a Latin keyboard" if char in _WIDE else ""
