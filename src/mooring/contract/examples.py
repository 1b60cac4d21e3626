"""Values that fit a JSON Schema, the same ones every time: an example, and the values at its edges."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs

from mooring.contract import limits

if TYPE_CHECKING:
    from collections.abc import Iterator

# Deep enough for a list of lists of rows; references may go round for ever.
MAX_DEPTH = 12
# A colour picture of 224 x 224 as nested lists has 150,000 numbers.
MAX_WEIGHT = 200_000
MAX_EDGES = 64
# All edges of one schema together: what can be sent in a few seconds.
MAX_EDGES_WEIGHT = 1_000_000
MAX_TEXT = 4096
FILE = "@file"
_FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
# Texts that patterns often ask for; making one for any pattern is another trade.
_TEXTS = (
    *(
        "text",
        "a",
        "A",
        "0",
        "1",
        "ab",
        "AB",
        "12",
        "abc",
        "ABC",
        "123",
        "abcd",
        "1234",
        "12345",
        "123456",
        "0000000000",
    ),
    *("Abc1", "AB12", "ab12", "a-b", "a_b", "1.0", "-1", "true", "yes", "M", "F", "en", "EN", "en-US", "a.jpg", "/a"),
    *("2024-02-29", "12:00", "12:00:00", "#ffffff", "a@b.de", "data:image/png;base64,"),
)
_KIND_BY_KEYWORD = {
    "properties": "object",
    "required": "object",
    "minProperties": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "maxItems": "array",
    "pattern": "string",
    "format": "string",
    "minLength": "string",
    "maxLength": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
}


class _Sample(NamedTuple):
    value: Any
    weight: int


def example_of(schema: Any) -> Any:
    """A small value for a JSON Schema 2020-12 without outside references; a best effort where it asks for the odd."""
    return _copy(_Schemas(schema).example(schema, 0).value)


def boundaries_of(schema: Any) -> list[Any]:
    """The example first, then values at the schema's edges, each once.

    A few may not fit where the schema asks for the odd; those are for the caller to drop.
    """
    seen: set[str] = set()
    values: list[Any] = []
    weight = 0
    for sample in itertools.islice(_Schemas(schema).edges(schema, 0), MAX_EDGES * 16):
        weight += sample.weight
        if len(values) == MAX_EDGES or weight > MAX_EDGES_WEIGHT:
            break
        text = json.dumps(sample.value, sort_keys=True)
        if text not in seen:
            seen.add(text)
            values.append(_copy(sample.value))
    return values


def _copy(value: Any) -> Any:
    # Lists repeat one item many times; a caller may change one of them.
    return json.loads(json.dumps(value))


class _Schemas:
    """The schemas below one root, to which references lead."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def flat(self, schema: Any, depth: int = 0) -> dict[str, Any]:
        """The schema with its reference followed, allOf joined in and the first alternative chosen."""
        if not isinstance(schema, dict) or depth > MAX_DEPTH:
            return {}
        flat = {name: value for name, value in schema.items() if name not in ("$ref", "allOf", "anyOf", "oneOf")}
        others = [self.resolved(schema["$ref"])] if "$ref" in schema else []
        others += schema.get("allOf", []) + schema.get("anyOf", [])[:1] + schema.get("oneOf", [])[:1]
        for other in others:
            part = self.flat(other, depth + 1)
            properties = flat.get("properties", {}) | part.get("properties", {})
            required = list(dict.fromkeys([*flat.get("required", []), *part.get("required", [])]))
            flat = part | flat
            flat |= {"properties": properties} if properties else {}
            flat |= {"required": required} if required else {}
        return flat

    def resolved(self, reference: str) -> Any:
        node = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            node = node[int(name)] if isinstance(node, list) else node.get(name, {})
        return node

    def example(self, schema: Any, depth: int) -> _Sample:
        flat = self.flat(schema)
        kind, given = _kind(flat), _given(flat)
        if given:
            return _leaf(given[0])
        if kind == "object":
            return self.object(flat, self.shown(flat, depth), depth)
        if kind == "array":
            return self.array(flat, max(flat.get("minItems", 0), 0 if depth > MAX_DEPTH else 1), depth)
        return _leaf(_simple(flat, kind, anything={} if depth == 0 else "text"))

    def shown(self, flat: dict[str, Any], depth: int) -> list[str]:
        """The fields of an example: all of them, only the required ones where it goes too deep."""
        required = list(flat.get("required", []))
        return required if depth > MAX_DEPTH else list(dict.fromkeys([*flat.get("properties", {}), *required]))

    def object(self, flat: dict[str, Any], names: list[str], depth: int) -> _Sample:
        value: dict[str, Any] = {}
        weight = 1
        for name in names if depth <= 2 * MAX_DEPTH else ():
            field = self.example(flat.get("properties", {}).get(name, {}), depth + 1)
            if weight + field.weight > MAX_WEIGHT:
                break
            value[name] = field.value
            weight += field.weight
        return _Sample(value, weight)

    def array(self, flat: dict[str, Any], length: int, depth: int) -> _Sample:
        """A list of that many items, fewer where it would grow too large or the schema allows fewer."""
        if depth > 2 * MAX_DEPTH:
            return _leaf([])
        first = flat.get("prefixItems", [])
        length = min(max(length, len(first) if depth <= MAX_DEPTH else 0), flat.get("maxItems", length + len(first)))
        samples = [self.example(item, depth + 1) for item in first[: int(length)]]
        if length > len(samples):
            item = self.example(flat.get("items", {}), depth + 1)
            room = max(MAX_WEIGHT - sum(sample.weight for sample in samples), 0) // item.weight
            samples += [item] * int(min(length - len(samples), room))
        values = [sample.value for sample in samples]
        if flat.get("uniqueItems"):
            values = [_varied(value, n) for n, value in enumerate(values)]
        return _Sample(values, 1 + sum(sample.weight for sample in samples))

    def edges(self, schema: Any, depth: int) -> Iterator[_Sample]:
        """The example, then what lies at the edges of this schema and of those inside it."""
        flat = self.flat(schema)
        yield self.example(schema, depth)
        if depth > MAX_DEPTH or "const" in flat:
            return
        yield from map(_leaf, _given(flat))
        for alternative in [*_alternatives(schema, "anyOf"), *_alternatives(schema, "oneOf")]:
            yield from self.edges(alternative, depth + 1)
        if "enum" not in flat:
            yield from self.own_edges(flat, depth)

    def own_edges(self, flat: dict[str, Any], depth: int) -> Iterator[_Sample]:
        kind = _kind(flat)
        if isinstance(flat.get("type"), list) and "null" in flat["type"]:
            yield _leaf(None)
        if kind == "object":
            yield from self.object_edges(flat, depth)
        elif kind == "array":
            yield from self.array_edges(flat, depth)
        elif kind in ("integer", "number"):
            yield from map(_leaf, limits.edges(flat, whole=kind == "integer"))
        elif kind == "string":
            yield from map(_leaf, _text_edges(flat))
        elif kind == "boolean":
            yield _leaf(value=False)

    def object_edges(self, flat: dict[str, Any], depth: int) -> Iterator[_Sample]:
        yield self.object(flat, list(flat.get("required", [])), depth)
        whole = self.example(flat, depth)
        for name, schema in flat.get("properties", {}).items():
            for field in itertools.islice(self.edges(schema, depth + 1), 1, None):
                yield _Sample(whole.value | {name: field.value}, whole.weight + field.weight)

    def array_edges(self, flat: dict[str, Any], depth: int) -> Iterator[_Sample]:
        least = flat.get("minItems", 0)
        yield _leaf([]) if least == 0 else self.array(flat, least, depth)
        yield self.array(flat, flat.get("maxItems", least + 2), depth)
        whole = self.example(flat, depth)
        for n, schema in enumerate([*flat.get("prefixItems", []), flat.get("items", {})]):
            if n < len(whole.value):
                for item in itertools.islice(self.edges(schema, depth + 1), 1, None):
                    yield _Sample([*whole.value[:n], item.value, *whole.value[n + 1 :]], whole.weight + item.weight)


def _leaf(value: Any) -> _Sample:
    return _Sample(value, 1)


def _kind(flat: dict[str, Any]) -> str:
    kind = flat.get("type")
    if isinstance(kind, list):
        return next((str(name) for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    if flat.get("contentMediaType") == "application/octet-stream":
        return "file"
    return next((kind for keyword, kind in _KIND_BY_KEYWORD.items() if keyword in flat), "")


def _given(flat: dict[str, Any]) -> list[Any]:
    """The values the schema itself names."""
    if "const" in flat:
        return [flat["const"]]
    return next((flat[name] for name in ("enum", "examples") if isinstance(flat.get(name), list) and flat[name]), [])


def _simple(flat: dict[str, Any], kind: str, *, anything: Any) -> Any:
    if kind in ("integer", "number"):
        return limits.typical(flat, whole=kind == "integer")
    if kind == "string":
        return _text(flat)
    return {"boolean": True, "null": None, "file": FILE}.get(kind, anything)


def _alternatives(schema: Any, name: str) -> list[Any]:
    return schema.get(name, [])[1:] if isinstance(schema, dict) else []


def _varied(value: Any, n: int) -> Any:
    if isinstance(value, bool) or n == 0:
        return value if n == 0 else n % 2 == 0
    if isinstance(value, int | float):
        return value + n
    return f"{value}{n}" if isinstance(value, str) else [value, n]


def _text(flat: dict[str, Any], length: int | None = None, *, filling: str = "text") -> str:
    """A text of that length, between the limits; one that fits the pattern, where a simple one does."""
    if length is None and "pattern" in flat:
        judge = jsonschema_rs.Draft202012Validator(flat | {"type": "string"}, offline=True)
        return next((text for text in _TEXTS if judge.is_valid(text)), "text")
    text = _FORMATS.get(str(flat.get("format")), filling) if length is None else filling
    least, most = int(flat.get("minLength", 0)), int(flat.get("maxLength", MAX_TEXT))
    wanted = min(max(len(text) if length is None else length, least), most, MAX_TEXT)
    return (text * (wanted // len(text) + 1))[:wanted]


def _text_edges(flat: dict[str, Any]) -> Iterator[str]:
    yield _text(flat, int(flat.get("minLength", 0)))
    yield _text(flat, int(flat.get("maxLength", 256)))
    # Characters of two, three and four bytes: a length in bytes is another one than in characters.
    yield _text(flat, max(int(flat.get("minLength", 0)), 4), filling="é漢🙂")
