"""What in a schema compiles but can hardly be meant: names that do not exist, limits that exclude each other."""

from __future__ import annotations

from mooring.contract.mending import keywords
from mooring.contract.names import nearest
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

_LIMITS = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minimum", "maximum"),
    ("minProperties", "maxProperties"),
)
_HOLD_OBJECTS = (*keywords.ONE, *keywords.NAMED, "items")


def schema_breaches(node: Node, what: str, notes: Notes) -> None:
    """Note them for a clean schema and all schemas inside it."""
    members = node.members
    _required(members, what, notes)
    _limits(members, what, notes)
    _unknown(members, what, notes)
    if "array" in _types(members) and not {"items", "prefixItems"} & set(members):
        notes.add("CFG-SCHEMA-10", INFO, node, f"{what} is a list of anything", hint='say what its "items" are')
    for name in (*keywords.ONE, "items"):
        if name in members:
            schema_breaches(members[name], f"{what}.{name}", notes)
    for name in keywords.MANY:
        for n, item in enumerate(members[name].items if name in members else ()):
            schema_breaches(item, f"{what}.{name}[{n}]", notes)
    for name in keywords.NAMED:
        for key, child in members[name].members.items() if name in members else ():
            schema_breaches(child, f"{what}.{name}.{shortened(key)}", notes)


def _types(members: dict[str, Node]) -> list[object]:
    node = members.get("type")
    if node is None:
        return []
    return [item.value for item in node.items] if node.is_list else [node.value]


def _required(members: dict[str, Node], what: str, notes: Notes) -> None:
    if "required" not in members or "properties" not in members:
        return
    properties = members["properties"].members
    for item in members["required"].items:
        name = str(item.value)
        if name not in properties:
            close = nearest(name, properties)
            hint = f"did you mean {close!r}?" if close else "declare it, or take it out of required"
            message = f"{what} requires {shortened(name)!r}, which is not among its properties"
            notes.add("CFG-SCHEMA-09", SHOULD, item, message, hint=hint)


def _limits(members: dict[str, Node], what: str, notes: Notes) -> None:
    for low, high in _LIMITS:
        lowest = members[low].value if low in members else None
        highest = members[high].value if high in members else None
        if isinstance(lowest, int | float) and isinstance(highest, int | float) and lowest > highest:
            message = f"{what}: {low} {lowest} is more than {high} {highest}, so nothing fits"
            notes.add("CFG-SCHEMA-12", MUST, members[low], message, hint="swap them, or remove one")


def _unknown(members: dict[str, Node], what: str, notes: Notes) -> None:
    for name, child in members.items():
        if name in keywords.KNOWN or name.startswith("x-"):
            continue
        close = nearest(name, set(keywords.KEYWORDS) - set(members))
        asked = [f"did you mean {close!r}?"] if close and (not child.is_object or close in _HOLD_OBJECTS) else []
        if child.is_object:
            asked.append('is it a property? properties belong inside "properties"')
        notes.add(
            "CFG-SCHEMA-11",
            SHOULD,
            child.name,
            f"{what}: {shortened(name)!r} is not a keyword of JSON Schema",
            hint=" or ".join(asked) or "it judges nothing",
        )
