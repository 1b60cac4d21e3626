"""The members of an object and the plain values in them, put right: names, nulls, numbers written as texts."""

from __future__ import annotations

import collections
import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mooring.contract.finding import Level
from mooring.contract.names import folded, slip_of
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes
from mooring.contract.reading import read_text
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

_NONE: Mapping[str, str] = {}
# An object with more members than this is not one whose names were slips of the pen.
MOST_MEMBERS = 100
# What the platform refuses a file without.
REQUIRED = frozenset({"model_algorithm", "model_type", "installer", "package_name"})


class Kind(enum.Enum):
    """What sort of value a name stands for, as tolerantly as it is read."""

    TEXT = enum.auto()
    OBJECT = enum.auto()
    LIST = enum.auto()

    def fits(self, node: Node) -> bool:
        """Whether such a value can be meant by this one."""
        written = node.value.strip() if isinstance(node.value, str) else ""
        if self is Kind.OBJECT:
            return node.is_object or written.startswith(("{", "/"))
        if self is Kind.LIST:
            return node.is_list or node.is_object or written.startswith(("[", "{"))
        return bool(written or node.literal)


def renamed(
    node: Node, known: Iterable[str], notes: Notes, *, typos: Mapping[str, str] = _NONE, nulls: Iterable[str] = ()
) -> dict[str, Node]:
    """The members under the names we know; misspellings are noted, unknown names kept.

    Where `known` tells the kind of each name's value, a slip of the pen for one that is absent is a misspelling too.
    A known name given as null counts as absent, unless it is among `nulls`, where null means something.
    """
    members = node.members
    meant = _meant(members, known, typos)
    known = tuple(known)
    result: dict[str, Node] = {}
    for seen, child in members.items():
        name = meant[seen]
        if name != seen and (name in members or name in result):
            _spelt_twice(notes, child, seen, name)
            continue
        if name != seen:
            typo = folded(seen) != folded(name)
            message = f"{seen!r} is not a name of config.json" if typo else f"{seen!r} stands here, read as {name!r}"
            weight = MUST if name in REQUIRED else SHOULD
            rule, level = ("CFG-TYPO-01", weight) if typo else ("CFG-CASE-01", INFO)
            notes.add(rule, level, child.name, message, hint=f"write {name!r}", seen=seen, read_as=name)
        if child.value is None and name in known and name not in nulls:
            notes.add("CFG-NULL-01", SHOULD, child, f"{name} is null, read as absent", hint="leave it out", seen="null")
            continue
        result[name] = child
    return result


def _meant(members: Mapping[str, Node], known: Iterable[str], typos: Mapping[str, str]) -> dict[str, str]:
    """What each name in the file stands for: a known name, or itself."""
    names = tuple(known)
    by_fold = {folded(name): name for name in names}
    meant = {
        seen: seen if seen in names else typos.get(folded(seen), by_fold.get(folded(seen), "")) for seen in members
    }
    taken = {name for name in meant.values() if name}
    kinds: Mapping[str, Kind] = known if isinstance(known, Mapping) and len(members) <= MOST_MEMBERS else {}
    slips = {seen: slip_of(seen, kinds) for seen, name in meant.items() if not name}
    often = collections.Counter(slips.values())
    for seen, name in slips.items():
        clear = name and name not in taken and often[name] == 1 and kinds[name].fits(members[seen])
        meant[seen] = name if clear else seen
    return meant


def _spelt_twice(notes: Notes, child: Node, seen: str, name: str) -> None:
    notes.add(
        "CFG-TYPO-02",
        Level.MUST,
        child.name,
        f"{seen!r} stands beside {name!r}, which alone is read",
        hint="keep one of them",
        seen=shortened(str(child.plain())),
    )


def text(node: Node, what: str, notes: Notes) -> Node:
    """A text; a number is taken as it was written. Invalid for anything else."""
    if isinstance(node.value, str):
        stripped = node.value.strip()
        if stripped == node.value:
            return node
        notes.add("CFG-KIND-02", INFO, node, f"blanks around {what}", seen=repr(node.value), read_as=repr(stripped))
        return node.become(stripped)
    if node.literal:
        notes.add(
            "CFG-KIND-01",
            SHOULD,
            node,
            f"{what} is a number; it should be a text",
            hint=f'write "{node.literal}"',
            seen=node.literal,
            read_as=f'"{node.literal}"',
        )
        return node.become(node.literal)
    raise notes.refusal(node, f"{what} must be a text, not {node.kind}")


def filled_text(members: dict[str, Node], name: str, what: str, notes: Notes) -> None:
    """Put the text `name` right among the members; an empty one counts as absent."""
    if name not in members:
        return
    node = text(members[name], what, notes)
    if node.value == "":
        notes.add("CFG-NULL-02", SHOULD, node, f"{what} is empty, read as absent", hint="leave it out", seen='""')
        del members[name]
    else:
        members[name] = node


def number(node: Node, what: str, notes: Notes) -> Node:
    """A number, also when written as a text; whatever is no number stays as it is."""
    if not isinstance(node.value, str):
        return node
    try:
        inner = read_text(node.value.strip(), Notes(""))
    except Invalid:
        return node
    if not inner.literal:
        return node
    notes.add(
        "CFG-KIND-01",
        SHOULD,
        node,
        f"{what} is a text; it should be a number",
        hint=f"write {inner.literal}",
        seen=f'"{inner.literal}"',
        read_as=inner.literal,
    )
    return Node(inner.value, node.place, node.name_place, inner.literal)


def unwrapped(node: Node, what: str, notes: Notes) -> Node:
    """The object or list itself, where it was written as a text that holds JSON."""
    if not isinstance(node.value, str) or not node.value.strip().startswith(("{", "[")):
        return node
    try:
        inner = read_text(node.value, Notes(""))
    except Invalid as error:
        raise notes.refusal(node, f"{what} is a text that holds broken JSON{error.message}") from error
    notes.add("CFG-SHAPE-01", SHOULD, node, f"{what} is JSON inside a text", hint="write the JSON itself")
    return node.become(inner.plain())


def an_object(node: Node, what: str, notes: Notes) -> Node:
    """An object, also out of a text that holds one. Invalid for anything else."""
    node = unwrapped(node, what, notes)
    if not node.is_object:
        raise notes.refusal(node, f"{what} must be an object, not {node.kind}")
    return node


def a_list(node: Node, what: str, notes: Notes) -> Node:
    """A list; a lone object is taken as a list of one. Invalid for anything else."""
    node = unwrapped(node, what, notes)
    if node.is_object:
        notes.add("CFG-SHAPE-02", SHOULD, node, f"{what} is one object; it should be a list", hint="put it in [ ]")
        return node.become([Node(node.value, node.place)])
    if not node.is_list:
        raise notes.refusal(node, f"{what} must be a list, not {node.kind}")
    return node
