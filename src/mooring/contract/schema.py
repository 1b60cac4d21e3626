"""The schemas of `data`: as JSON Schema 2020-12, and as a judge of values in plain words."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from mooring.contract.examples import boundaries_of, example_of
from mooring.contract.mending.data import mend_data
from mooring.contract.mending.pruning import FILE
from mooring.contract.node import Node, Place, described, shortened
from mooring.contract.notes import Notes
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

# A list of 784 wrong numbers is one mistake; the first few say it.
MAX_MESSAGES = 20
_BLANK = Node({}, Place(1, 1))
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}


def to_json_schema(data: dict[str, Any]) -> dict[str, Any]:
    """The dialect of `apis[].request.data` as JSON Schema 2020-12; a file is any octets (its media type says so).

    Invalid if it is no schema; what merely makes no sense in it is left out, as ModelConfig does with a finding.
    """
    node = mend_data(_BLANK.become(data), _BLANK, "schema", Notes("schema"), files=True)
    schema: dict[str, Any] = _octets(node.plain())
    return schema


def validate(data: dict[str, Any], value: object) -> list[str]:
    """What is wrong with the value, a sentence each with its path; empty if nothing is.

    `"data.req_data[0].age: expected an integer, got the text 'x'"`. At most 20, and how many more there are. Invalid if
    `data` is no schema.
    """
    try:
        errors = list(_validator(json.dumps(data)).iter_errors(value))
    except ValueError as error:
        return [f"the body is not JSON: {shortened(str(error), 200)}"]
    messages = list(dict.fromkeys(_message(error) for error in errors[:MAX_MESSAGES]))
    more = len(errors) - MAX_MESSAGES
    return [*messages, f"and {more} more"] if more > 0 else messages


def example(data: dict[str, Any]) -> Any:
    """A small value that the schema takes, always the same; a file is the text "@file".

    Invalid if `data` is no schema.
    """
    return example_of(to_json_schema(data))


def boundaries(data: dict[str, Any]) -> list[Any]:
    """Values at the schema's edges, all valid, always the same ones in the same order, at most 64.

    Shortest and longest texts and lists, smallest and largest numbers, each option of an enum, only what is required.
    """
    schema = to_json_schema(data)
    return [value for value in boundaries_of(schema) if not validate(data, value)]


@functools.lru_cache(maxsize=256)
def _validator(data: str) -> jsonschema_rs.Draft202012Validator:
    try:
        return jsonschema_rs.Draft202012Validator(to_json_schema(json.loads(data)), offline=True)
    except jsonschema_rs.ValidationError as error:
        raise Invalid(f"the schema cannot be used: {shortened(error.message, 200)}") from error


def _octets(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_octets(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == FILE:
        schema = {name: child for name, child in schema.items() if name != "type"}
        return schema | {"contentMediaType": "application/octet-stream"}
    return {name: _octets(child) for name, child in schema.items()}


def _message(error: jsonschema_rs.ValidationError) -> str:
    path = "".join(_step(step) for step in error.instance_path).removeprefix(".")
    details = error.kind.as_dict()
    say = _SAYINGS.get(error.kind.name)
    sentence = say(details, error.instance) if say else shortened(error.message, 200)
    return f"{path}: {sentence}" if path else sentence


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return (
        f".{step}" if step.replace("-", "_").isidentifier() else f"[{json.dumps(shortened(step), ensure_ascii=False)}]"
    )


def _expected(details: dict[str, Any], value: object) -> str:
    types = details["types"]
    return f"expected {' or '.join(_TYPES.get(name, name) for name in types)}, got {described(value)}"


def _required(details: dict[str, Any], _: object) -> str:
    return f"the field {shortened(details['property'])!r} is missing"


def _enum(details: dict[str, Any], value: object) -> str:
    options = details["options"]
    listed = shortened(", ".join(json.dumps(option, ensure_ascii=False) for option in options), 200)
    return f"expected one of {listed}, got {described(value)}"


def _alternatives(details: dict[str, Any], value: object) -> str:
    """Why each alternative fails; where more than one fits but only one may, no reason is left to tell."""
    faults = [_message(errors[0]) for errors in details.get("context", []) if errors]
    return (
        f"no alternative fits: {shortened('; or '.join(faults), 300)}" if faults else f"{described(value)} is ambiguous"
    )


def _amount(what: str, unit: str = "") -> Callable[[dict[str, Any], object], str]:
    def say(details: dict[str, Any], value: object) -> str:
        got = f"{len(value)}" if unit and isinstance(value, str | list | dict) else described(value)
        limit = next(iter(details.values()))
        return f"expected {what} {limit}{f' {unit}' if unit else ''}, got {got}"

    return say


_SAYINGS: dict[str, Callable[[dict[str, Any], object], str]] = {
    "type": _expected,
    "required": _required,
    "enum": _enum,
    "const": lambda details, value: (
        f"expected {json.dumps(details['expected_value'], ensure_ascii=False)}, got {described(value)}"
    ),
    "minimum": _amount("at least"),
    "maximum": _amount("at most"),
    "exclusiveMinimum": _amount("more than"),
    "exclusiveMaximum": _amount("less than"),
    "multipleOf": _amount("a multiple of"),
    "minLength": _amount("at least", "characters"),
    "maxLength": _amount("at most", "characters"),
    "minItems": _amount("at least", "items"),
    "maxItems": _amount("at most", "items"),
    "minProperties": _amount("at least", "fields"),
    "maxProperties": _amount("at most", "fields"),
    "pattern": lambda details, value: f"expected a text like {details['pattern']!r}, got {described(value)}",
    "additionalProperties": lambda details, _: (
        f"unknown field {', '.join(repr(shortened(name)) for name in details['unexpected'])}"
    ),
    "uniqueItems": lambda _details, _value: "the items are not all different",
    "contains": lambda _details, _value: "none of the items is one that must be there",
    "propertyNames": lambda details, _: f"a field's name does not fit: {_message(details['error'])}",
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "falseSchema": lambda _, value: f"{described(value)} is not allowed here",
    "not": lambda _, value: f"{described(value)} is not allowed here",
}
