"""Schemas judge values in plain words, and make examples that are always the same."""

import json
import socket

import jsonschema_rs
import pytest

from mooring.contract import schema
from mooring.errors import Invalid

ROWS = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "properties": {
                "req_data": {
                    "type": "list",
                    "items": [{"type": "object", "required": ["age"], "properties": {"age": {"type": "int"}}}],
                }
            },
        }
    },
}


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ({"data": {"req_data": [{"age": 7}, {"age": 8, "city": "Bonn"}]}}, []),
        ({"data": {"req_data": [{"age": "x"}]}}, ["data.req_data[0].age: expected an integer, got the text 'x'"]),
        ({"data": {"req_data": [{}]}}, ["data.req_data[0]: the field 'age' is missing"]),
        ({}, ["the field 'data' is missing"]),
        ([], ["expected an object, got a list"]),
        ({"data": {"req_data": None}}, ["data.req_data: expected a list, got null"]),
        ({"data": {"req_data": [{"age": True}]}}, ["data.req_data[0].age: expected an integer, got true"]),
    ],
)
def test_a_message_names_the_path_in_plain_words(value, messages):
    assert schema.validate(ROWS, value) == messages


@pytest.mark.parametrize(
    ("data", "value", "message"),
    [
        ({"enum": ["a", "b"]}, "c", 'expected one of "a", "b", got the text \'c\''),
        ({"const": 1}, 2, "expected 1, got the number 2"),
        ({"minimum": 3}, 2, "expected at least 3, got the number 2"),
        ({"exclusiveMaximum": 3}, 3, "expected less than 3, got the number 3"),
        ({"multipleOf": 2}, 3, "expected a multiple of 2, got the number 3"),
        ({"minLength": 3}, "ab", "expected at least 3 characters, got 2"),
        ({"maxItems": 1}, [1, 2], "expected at most 1 items, got 2"),
        ({"pattern": "^a"}, "b", "expected a text like '^a', got the text 'b'"),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"z": 1}, "unknown field 'z'"),
        ({"additionalProperties": False}, {"z": 1}, "the number 1 is not allowed here"),
        ({"not": {"type": "integer"}}, 1, "the number 1 is not allowed here"),
        ({"contains": {"type": "string"}}, [1], "none of the items is one that must be there"),
        (
            {"propertyNames": {"maxLength": 1}},
            {"ab": 1},
            "a field's name does not fit: expected at most 1 characters, got 2",
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
            1,
            "no alternative fits: expected a text, got the number 1; or expected null, got the number 1",
        ),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1, "the number 1 is ambiguous"),
        ({"uniqueItems": True}, [1, 1], "the items are not all different"),
        ({"type": ["string", "null"]}, 5, "expected null or a text, got the number 5"),
        ({"properties": {"a b": {"type": "string"}}}, {"a b": 1}, '["a b"]: expected a text, got the number 1'),
    ],
)
def test_every_kind_of_fault_has_its_sentence(data, value, message):
    assert schema.validate(data, value) == [message]


def test_many_faults_are_cut_short():
    messages = schema.validate({"type": "array", "items": {"type": "number"}}, ["x"] * 784)
    assert len(messages) == 21
    assert messages[-1] == "and 764 more"


@pytest.mark.parametrize("value", ["\ud800", b"bytes", {1: 2}, object()])
def test_what_is_not_json_is_told_and_not_raised(value):
    (message,) = schema.validate({}, value)
    assert message.startswith("the body is not JSON")


def test_a_schema_never_fetches_anything():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        reference = f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"
        for data in ({"$ref": reference}, {"$schema": reference}, {"$id": reference}, {"$dynamicRef": reference}):
            assert schema.validate(data, 5) == []
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("data", [{"type": {}}, {"properties": 5}, {"items": 7}, {"type": 5}])
def test_what_is_no_schema_is_invalid(data):
    with pytest.raises(Invalid):
        schema.validate(data, 1)


def test_a_file_is_any_octets():
    assert schema.to_json_schema({"type": "object", "properties": {"images": {"type": "file"}}}) == {
        "type": "object",
        "properties": {"images": {"contentMediaType": "application/octet-stream"}},
    }


SCHEMAS = [
    ROWS,
    {},
    {"type": "object", "properties": {"images": {"type": "file"}}},
    {"type": "array", "minItems": 2, "maxItems": 2, "items": [{"type": "string"}, {"type": "number"}]},
    {
        "type": "array",
        "minItems": 20,
        "items": [{"type": "array", "minItems": 228, "maxItems": 228, "items": {"type": "float"}}],
    },
    {"type": "integer", "minimum": 3, "exclusiveMaximum": 9, "multipleOf": 2},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "multipleOf": 0.1, "minimum": 0.25},
    {"type": "string", "minLength": 3, "maxLength": 5},
    {"type": "string", "minLength": 1000},
    {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2}$"},
    {"type": "string", "format": "date"},
    {"enum": ["low", "high", 3, None]},
    {"const": {"a": 1}},
    {"type": ["null", "integer"]},
    {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 5}]},
    {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"required": ["b"]}]},
    {"$ref": "#/$defs/point", "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}}}},
    {"type": "object", "properties": {"next": {"$ref": "#"}, "value": {"type": "integer"}}},
    {"type": "array", "uniqueItems": True, "minItems": 3, "items": {"type": "integer"}},
    {"type": "boolean"},
]


@pytest.mark.parametrize("data", SCHEMAS, ids=lambda data: json.dumps(data)[:50])
def test_an_example_fits_its_schema_and_is_always_the_same(data):
    assert schema.validate(data, schema.example(data)) == []
    assert schema.example(data) == schema.example(data)


@pytest.mark.parametrize("data", SCHEMAS, ids=lambda data: json.dumps(data)[:50])
def test_boundaries_fit_their_schema_and_are_few_and_all_different(data):
    values = schema.boundaries(data)
    assert values == schema.boundaries(data)
    assert 1 <= len(values) <= 64
    assert all(schema.validate(data, value) == [] for value in values)
    assert len({json.dumps(value) for value in values}) == len(values)


def test_boundaries_reach_the_limits():
    data = {
        "type": "object",
        "required": ["age"],
        "properties": {
            "age": {"type": "integer", "minimum": 0, "maximum": 120},
            "name": {"type": "string", "minLength": 2, "maxLength": 9},
            "size": {"enum": ["s", "l"]},
            "tags": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
        },
    }
    values = schema.boundaries(data)
    assert {0, 120} <= {value["age"] for value in values}
    assert {2, 9} <= {len(value["name"]) for value in values if "name" in value}
    assert {"s", "l"} == {value["size"] for value in values if "size" in value}
    assert {0, 3} <= {len(value["tags"]) for value in values if "tags" in value}
    assert any(set(value) == {"age"} for value in values)


def test_an_example_stays_small_whatever_the_schema_asks():
    data = {"type": "number"}
    for _ in range(8):
        data = {"type": "array", "minItems": 100, "items": data}
    assert len(json.dumps(schema.example(data))) < 2_000_000


def test_what_comes_out_is_json_schema():
    for data in SCHEMAS:
        jsonschema_rs.Draft202012Validator(schema.to_json_schema(data), offline=True)
