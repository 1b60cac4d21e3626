"""What is left in a schema that no validator can use: found by compiling it, taken out, and told."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from mooring.contract.node import Node, shortened
from mooring.contract.notes import MUST, Notes

FILE = "file"
# A schema with more nonsense than this is another kind of file; every round compiles it anew.
MAX_FAULTS = 50


def pruned(schema: Node, what: str, notes: Notes) -> Node:
    """The schema without references to elsewhere and without keywords whose value makes no sense.

    Invalid, with the place of the schema, if it cannot be compiled even so.
    """
    schema = _local(schema, schema, what, notes)
    rounds = 0
    while (fault := _fault(schema.plain())) is not None:
        rounds += 1
        path, message = fault
        while path and isinstance(path[-1], int):
            path = path[:-1]
        if not path or rounds > MAX_FAULTS:
            raise notes.refusal(schema, f"{what} is not a usable schema: {message}")
        at = schema.find(path)
        notes.add(
            "CFG-SCHEMA-07",
            MUST,
            at,
            f"{what}: {path[-1]!r} cannot be {at.kind}; it is left out",
            hint=message,
            seen=shortened(str(at.plain())),
        )
        schema = _without(schema, path)
    return schema


def without_files(schema: Any) -> Any:
    """The plain schema with `{"type": "file"}` as "anything", which is what JSON Schema can say of it."""
    if isinstance(schema, list):
        return [without_files(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == FILE:
        schema = {name: child for name, child in schema.items() if name != "type"}
    return {name: without_files(child) for name, child in schema.items()}


def _fault(schema: Any) -> tuple[list[str | int], str] | None:
    """Where and why the schema does not compile; None if it does. Nothing is ever fetched."""
    try:
        jsonschema_rs.Draft202012Validator(without_files(schema), offline=True)
    except jsonschema_rs.ValidationError as error:
        return list(error.instance_path), shortened(error.message, 200)
    except ValueError as error:
        return [], shortened(str(error), 200)
    return None


def _local(node: Node, root: Node, what: str, notes: Notes) -> Node:
    """The schema without the references that lead nowhere inside it."""
    if node.is_list:
        return node.become([_local(item, root, what, notes) for item in node.items])
    if not node.is_object:
        return node
    members = {name: _local(child, root, what, notes) for name, child in node.members.items()}
    target = members.get("$ref")
    if target is not None and isinstance(target.value, str) and not _leads_inside(target.value, root):
        notes.add(
            "CFG-SCHEMA-08",
            MUST,
            target,
            f"{what}: the reference leads outside the schema; it is left out",
            hint="write the schema here, or under $defs",
            seen=shortened(target.value),
            read_as="anything",
        )
        del members["$ref"]
    return node.become(members)


def _leads_inside(reference: str, root: Node) -> bool:
    if reference == "#":
        return True
    if not reference.startswith("#/"):
        return False
    node = root
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        inner: dict[str, Node] = node.members or {str(n): item for n, item in enumerate(node.items)}
        if name not in inner:
            return False
        node = inner[name]
    return node.is_object or isinstance(node.value, bool)


def _without(node: Node, path: list[str | int]) -> Node:
    step, rest = path[0], path[1:]
    if node.is_list:
        return node.become([_without(item, rest) if n == step else item for n, item in enumerate(node.items)])
    members = node.members
    if rest:
        members[str(step)] = _without(members[str(step)], rest)
    else:
        del members[str(step)]
    return node.become(members)
