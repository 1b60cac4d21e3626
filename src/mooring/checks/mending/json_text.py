"""A JSON text with the places of its values, and the same text changed only where it must be."""

from __future__ import annotations

import bisect
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.contract.node import Node, Place

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:\\.|[^"\\])*"|[^\s{}\[\],:"]+')
_LINE_BLANK = re.compile(r"[ \t]*")
_INDENT = re.compile(r"\n([ \t]+)\S")


@dataclass(frozen=True)
class Span:
    """A value in the text, from `start` to before `end`; `sign` is its bracket, "" for a text, number or word."""

    start: int
    end: int
    sign: str = ""
    members: tuple[Member, ...] = ()
    items: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Member:
    """One name and its value; `start` and `end` are the name's."""

    name: str
    start: int
    end: int
    value: Span


@dataclass
class JsonText:
    """A strict JSON text and where its values are."""

    text: str
    root: Span = field(init=False)
    by_start: dict[int, Span] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._lines = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", self.text))]
        self.root, _ = self._value(self._blank(0))
        unit = _INDENT.search(self.text)
        self.unit = unit[1] if unit else "  "
        self.compact = "\n" not in self.text[self.root.start : self.root.end]

    def offset(self, place: Place) -> int:
        """The index in the text of a line and column."""
        return self._lines[place.line - 1] + place.column - 1

    def indent(self, at: int) -> str:
        """The blanks that the line begins with in which the index lies."""
        start = self._lines[bisect.bisect_right(self._lines, at) - 1]
        found = _LINE_BLANK.match(self.text, start, at)
        return found[0] if found else ""

    def source(self, node: Node) -> Span | None:
        """Where in the text the object or list was read from; None for what was made up."""
        span = self.by_start.get(self.offset(node.place))
        sign = "{" if node.is_object else "[" if node.is_list else ""
        return span if span is not None and sign and span.sign == sign else None

    def _blank(self, at: int) -> int:
        found = _BLANK.match(self.text, at)
        return found.end() if found else at

    def _value(self, at: int) -> tuple[Span, int]:
        sign = self.text[at]
        if sign == "{":
            span = self._object(at)
        elif sign == "[":
            span = self._list(at)
        else:
            found = _SCALAR.match(self.text, at)
            span = Span(at, found.end() if found else at + 1)
        self.by_start[at] = span
        return span, span.end

    def _object(self, start: int) -> Span:
        at, members = self._blank(start + 1), list[Member]()
        while self.text[at] != "}":
            found = _SCALAR.match(self.text, at)
            end = found.end() if found else at
            value, after = self._value(self._blank(self._blank(end) + 1))
            members.append(Member(json.loads(self.text[at:end]), at, end, value))
            at = self._blank(after)
            if self.text[at] == ",":
                at = self._blank(at + 1)
        return Span(start, at + 1, "{", members=tuple(members))

    def _list(self, start: int) -> Span:
        at, items = self._blank(start + 1), list[Span]()
        while self.text[at] != "]":
            value, after = self._value(at)
            items.append(value)
            at = self._blank(after)
            if self.text[at] == ",":
                at = self._blank(at + 1)
        return Span(start, at + 1, "[", items=tuple(items))
