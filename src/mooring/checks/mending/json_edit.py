"""A JSON text becomes another value, and stays as it was written wherever the value stays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.checks.mending.json_text import JsonText, Member, Span
    from mooring.contract.node import Node


@dataclass(frozen=True)
class _Part:
    """One member on its way out: `lead` is the blank before its name, `trail` that before its comma."""

    lead: str
    text: str
    trail: str = ""
    was_first: bool = False
    made_up: bool = False


def edited(source: JsonText, wanted: Node) -> str:
    """The text with `wanted` for its value, whose nodes tell the places in the text that they were read from."""
    root = source.root
    return source.text[: root.start] + _Edit(source).value(root, wanted) + source.text[root.end :]


class _Edit:
    def __init__(self, source: JsonText) -> None:
        self.source = source
        self.text = source.text

    def value(self, span: Span, wanted: Node, name: str = "") -> str:
        """The text of one value; `name` is that of its member."""
        if span.sign == "{" and wanted.is_object:
            return self.object(span, wanted)
        if span.sign == "[" and wanted.is_list:
            return self.items(span, wanted)
        if not span.sign and not wanted.is_object and not wanted.is_list:
            return self.scalar(span, wanted)
        return self.reshaped(span, wanted, name)

    def reshaped(self, span: Span, wanted: Node, name: str) -> str:
        """An object out of a list of one, or the other way about; all else is made anew."""
        if span.sign == "[" and wanted.is_object and len(span.items) == 1 and span.items[0].sign == "{":
            inner = span.items[0]
            # The documents' own way to describe a list's items; every reader of the contract takes it.
            if name == "items":
                return self.text[span.start : inner.start] + self.value(inner, wanted) + self.text[inner.end : span.end]
            return self.value(inner, wanted)
        if span.sign == "{" and wanted.is_list and len(wanted.items) == 1 and wanted.items[0].is_object:
            return f"[{self.value(span, wanted.items[0])}]"
        return self.made(wanted, self.source.indent(span.start))

    def scalar(self, span: Span, wanted: Node) -> str:
        written = self.text[span.start : span.end]
        now = json.loads(written)
        same = now == wanted.value and type(now) is type(wanted.value)
        return written if same and wanted.literal in ("", written) else _scalar(wanted)

    def items(self, span: Span, wanted: Node) -> str:
        if len(span.items) != len(wanted.items) or not span.items:
            return self.text[span.start : span.end] if not wanted.items and not span.items else self.fresh(span, wanted)
        pieces, at = list[str](), span.start
        for item, node in zip(span.items, wanted.items, strict=True):
            pieces += [self.text[at : item.start], self.value(item, node)]
            at = item.end
        return "".join((*pieces, self.text[at : span.end]))

    def fresh(self, span: Span, wanted: Node) -> str:
        return self.made(wanted, self.source.indent(span.start), reuse=False)

    def object(self, span: Span, wanted: Node) -> str:
        parts = self.parts(span, wanted)
        if not parts:
            return "{}" if span.members else self.text[span.start : span.end]
        if not span.members:
            return self.fresh(span, wanted)
        first = self.text[span.start + 1 : span.members[0].start]
        rest = self.between(span) if len(span.members) > 1 else first if "\n" in first else " "
        leads = [
            part.lead if part.was_first == (n == 0) and not part.made_up else (rest if n else first)
            for n, part in enumerate(parts)
        ]
        last = len(parts) - 1
        body = ",".join(leads[n] + part.text + (part.trail if n < last else "") for n, part in enumerate(parts))
        return "{" + body + self.text[span.members[-1].value.end : span.end - 1] + "}"

    def between(self, span: Span) -> str:
        """The blank between the comma after the first member and the second one."""
        return self.text[span.members[0].value.end : span.members[1].start].partition(",")[2]

    def parts(self, span: Span, wanted: Node) -> list[_Part]:
        """The members as they will stand: those that stay in their order, new ones before what follows them."""
        members = wanted.members
        places = {self.source.offset(node.name_place): name for name, node in members.items() if node.name_place}
        kept = {member.start: places[member.start] for member in span.members if member.start in places}
        parts, standing = list[_Part](), list[str]()
        for n, member in enumerate(span.members):
            name = kept.get(member.start, "")
            if name:
                parts.append(self.kept(span, n, name, members[name]))
                standing.append(name)
            elif member.name == "items" and "items" not in members and not _filled(member.value):
                # An empty list of items means any; so does leaving it out.
                text = self.text[member.start : member.value.end]
                parts.append(_Part(self.lead(span, n), text, self.trail(span, n), n == 0))
                standing.append("")
        names = list(members)
        missing = set(names).difference(standing)
        for n, name in reversed(list(enumerate(names))):
            if name in missing:
                after = next((standing.index(other) for other in names[n + 1 :] if other in standing), len(standing))
                indent = self.inner_indent(span)
                text = f"{json.dumps(name, ensure_ascii=False)}: {self.made(members[name], indent)}"
                parts.insert(after, _Part("", text, made_up=True))
                standing.insert(after, name)
        return parts

    def kept(self, span: Span, n: int, name: str, node: Node) -> _Part:
        member = span.members[n]
        shown = _written(member, name)
        written = (
            self.text[member.start : member.end] if shown == member.name else json.dumps(shown, ensure_ascii=False)
        )
        text = written + self.text[member.end : member.value.start] + self.value(member.value, node, shown)
        return _Part(self.lead(span, n), text, self.trail(span, n), n == 0)

    def lead(self, span: Span, n: int) -> str:
        if n == 0:
            return self.text[span.start + 1 : span.members[0].start]
        return self.text[span.members[n - 1].value.end : span.members[n].start].partition(",")[2]

    def trail(self, span: Span, n: int) -> str:
        if n + 1 == len(span.members):
            return ""
        return self.text[span.members[n].value.end : span.members[n + 1].start].partition(",")[0]

    def inner_indent(self, span: Span) -> str:
        return self.source.indent(span.members[0].start) if span.members else self.source.indent(span.start)

    def made(self, node: Node, indent: str, *, reuse: bool = True) -> str:
        """The text of a value that stood nowhere, or elsewhere: what is known of it is taken from there."""
        span = self.source.source(node) if reuse else None
        if span is not None:
            old = self.source.indent(span.start)
            return self.value(span, node).replace(f"\n{old}", f"\n{indent}")
        inner = indent + self.source.unit
        if node.is_object:
            parts = [f"{json.dumps(key, ensure_ascii=False)}: {self.made(v, inner)}" for key, v in node.members.items()]
        elif node.is_list:
            parts = [self.made(item, inner) for item in node.items]
        else:
            return _scalar(node)
        opening, closing = "{}" if node.is_object else "[]"
        if self.source.compact or not parts:
            return opening + ", ".join(parts) + closing
        return f"{opening}\n{inner}" + f",\n{inner}".join(parts) + f"\n{indent}{closing}"


def _filled(span: Span) -> bool:
    """Whether it is anything but an empty list."""
    return span.sign != "[" or bool(span.items)


def _written(member: Member, name: str) -> str:
    """The name to write: the contract's, except where the documents' own form of `items` may stay."""
    if name == "prefixItems" and member.name != "prefixItems":
        return "items"
    return member.name if member.name == "additionalItems" else name


def _scalar(node: Node) -> str:
    return node.literal or json.dumps(node.value, ensure_ascii=False)
