"""The mapping rule: which cell of a row becomes which value of a request.

A rule is the tree of the request's schema; a leaf says with `index` which cell it takes, the first being 0
(batch.md section 4: inference-modelarts-0040, CreateService, modelarts_04_0201).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.batch.cells import READERS
from mooring.contract import schema
from mooring.contract.node import described, shortened
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.batch.table import Row

# Deeper than any request that a row of a table could make.
_MAX_DEPTH = 64
_HINT = "see `mooring batch rule MODEL`, which writes the rule of a model's request"


def rule_for(data: dict[str, Any]) -> dict[str, Any]:
    """The rule for a request's schema: its leaves take the cells one after the other, in the order of the schema.

    Only what a rule is made of is kept: `type`, `properties`, `required`, `items` (as a list, as the documents have
    it) and `index`. What no cell can fill, such as a field of any type, is left out. Invalid for a schema with a file,
    which is not sent by rows, and for one where nothing is left.
    """
    if _has_file(data):
        raise Invalid("the request holds a file, which no row of a table can give", hint="use mapping type file")
    clean = schema.to_json_schema(data)
    rule = _Numbered(clean).rule(clean, 0)
    if rule is None or "index" in rule:
        raise Invalid(
            "the request's schema declares no object with texts, numbers or truth values",
            hint="declare them in `data` of the api's request in config.json",
        )
    return rule


class _Numbered:
    """Gives the leaves of a schema their indexes."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._next = 0

    def rule(self, node: Any, depth: int) -> dict[str, Any] | None:
        """The part of the rule for a part of the schema; None where no cell can fill it."""
        node = _resolved(node, self._root)
        kind = _kind(node)
        if depth > _MAX_DEPTH or kind is None:
            return None
        if kind == "object":
            return self._object(node, depth)
        if kind == "array":
            items = node.get("prefixItems") or [node.get("items", {})]
            rules = [rule for one in items if (rule := self.rule(one, depth + 1)) is not None]
            return {"type": "array", "items": rules} if rules else None
        self._next += 1
        return {"type": kind, "index": self._next - 1}

    def _object(self, node: dict[str, Any], depth: int) -> dict[str, Any] | None:
        found = {name: self.rule(child, depth + 1) for name, child in node.get("properties", {}).items()}
        kept = {name: rule for name, rule in found.items() if rule is not None}
        required = [name for name in node.get("required", []) if name in kept]
        return {"type": "object", "properties": kept} | ({"required": required} if required else {}) if kept else None


@dataclass(frozen=True)
class Leaf:
    """A value that a cell gives: where in the request, from which cell, counted from 0, and how it is read."""

    path: str
    index: int
    type: str
    required: bool


class Mapping:
    """A rule that was read: makes the body of a request from each row.

    * A leaf takes the cell of its `index`. Without one, or with -1 or anything else that is no whole number from 0 on,
      it is left out of the request, and listed in `left_out`; that is no error.
    * A list holds exactly the elements that the rule lists, as a rule one.
    * A row with fewer cells than the rule needs is an error. Cells that the rule does not name are not looked at.
    * An empty cell is an empty text; for a number or a truth value it is none, so that the field is left out, and an
      error where the rule lists the field under `required`.
    * How cells become values is said in `mooring.batch.cells`.
    """

    def __init__(self, rule: object) -> None:
        """Invalid, with the path, for what is no rule, or one in which no leaf takes a cell."""
        self.leaves: list[Leaf] = []
        self.left_out: list[str] = []
        build = self._read(rule, "", 0, required=False)
        if not self.leaves or not isinstance(rule, dict) or _kind(rule) not in ("object", "array"):
            raise Invalid("no leaf of the mapping rule takes a cell: every request would be the same", hint=_HINT)
        self._build = build
        self._cells = 1 + max(leaf.index for leaf in self.leaves)

    def body(self, row: Row) -> bytes:
        """The JSON that the row becomes, in UTF-8. Invalid, naming row, line, column and field."""
        where = f"row {row.number} (line {row.line})"
        if row.error:
            raise Invalid(f"{where}: {row.error}")
        if len(row.cells) < self._cells:
            leaf = next(leaf for leaf in self.leaves if leaf.index >= len(row.cells))
            raise Invalid(
                f"{where} has {len(row.cells)} cells, and {leaf.path} takes cell {leaf.index + 1} (index {leaf.index})"
            )
        try:
            return (self._build(row.cells) or "{}").encode("utf-8", "replace")
        except ValueError as error:
            raise Invalid(f"{where}, {error}") from None

    def _read(self, node: object, path: str, depth: int, *, required: bool) -> Callable[[list[str]], str | None]:
        if not isinstance(node, dict):
            raise Invalid(f"the mapping rule{_at(path)} must be an object, and is {described(node)}", hint=_HINT)
        if depth > _MAX_DEPTH:
            raise Invalid("the mapping rule is nested too deeply", hint=_HINT)
        kind = _kind(node)
        if kind == "object":
            return self._object(node, path, depth)
        if kind == "array":
            return self._list(node, path, depth)
        index = node.get("index")
        if type(index) is not int or index < 0:
            self.left_out.append(path)
            return _nothing
        if kind is None:
            raise Invalid(
                f"the mapping rule{_at(path)} takes a cell and has the type {shortened(str(node.get('type')))!r}",
                hint=f"expected one of {', '.join(READERS)}",
            )
        return self._leaf(Leaf(path, index, kind, required))

    def _object(self, node: dict[str, Any], path: str, depth: int) -> Callable[[list[str]], str | None]:
        properties, required = node.get("properties", {}), node.get("required", [])
        if not isinstance(properties, dict):
            raise Invalid(f"the mapping rule{_at(path)} has properties that are {described(properties)}", hint=_HINT)
        needed = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
        fields = [
            (
                f"{json.dumps(name)}:",
                self._read(child, f"{path}.{name}".lstrip("."), depth + 1, required=name in needed),
            )
            for name, child in properties.items()
        ]

        def build(cells: list[str]) -> str:
            return "{" + ",".join(name + text for name, make in fields if (text := make(cells)) is not None) + "}"

        return build

    def _list(self, node: dict[str, Any], path: str, depth: int) -> Callable[[list[str]], str | None]:
        items = node.get("items", [])
        elements = [
            self._read(child, f"{path}[{place}]", depth + 1, required=False)
            for place, child in enumerate(items if isinstance(items, list) else [items])
        ]

        def build(cells: list[str]) -> str:
            return "[" + ",".join(text for make in elements if (text := make(cells)) is not None) + "]"

        return build

    def _leaf(self, leaf: Leaf) -> Callable[[list[str]], str | None]:
        self.leaves.append(leaf)
        read, index, is_text = READERS[leaf.type], leaf.index, leaf.type == "string"

        def build(cells: list[str]) -> str | None:
            cell = cells[index]
            if not is_text and not cell.strip():
                if leaf.required:
                    raise ValueError(f"cell {index + 1}: {leaf.path} is required, and the cell is empty")
                return None
            try:
                return read(cell)
            except ValueError as error:
                raise ValueError(f"cell {index + 1}: {leaf.path}: {error}") from None

        return build


def _nothing(_: list[str]) -> None:
    return None


def _at(path: str) -> str:
    return f" at {shortened(path)}" if path else ""


def _kind(node: object) -> str | None:
    """`object`, `array`, the type of a leaf, or None. Of several types, the first that a cell can give."""
    if not isinstance(node, dict):
        return None
    said = node.get("type")
    for one in said if isinstance(said, list) else [said]:
        if one in ("object", "array", *READERS):
            return str(one)
    if said is None:
        return "object" if "properties" in node else "array" if "items" in node or "prefixItems" in node else None
    return None


def _resolved(node: Any, root: dict[str, Any]) -> Any:
    """What a reference within the schema leads to; anything, where it leads round and round."""
    for _ in range(_MAX_DEPTH):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#"):
            return node
        node = root
        for step in reference[1:].strip("/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            node = node.get(name) if isinstance(node, dict) and name else node
    return {}


def _has_file(data: Any) -> bool:
    return any(isinstance(node, dict) and node.get("type") == "file" for node in _nodes(data))


def _nodes(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
