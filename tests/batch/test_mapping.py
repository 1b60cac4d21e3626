"""Rows of a table as requests, by the documents' example and by each rule that they leave open."""

import json

import pytest

from mooring.batch.mapping import Mapping, rule_for
from mooring.batch.table import Row, RowReader
from mooring.errors import Invalid


def record(**leaves):
    inner = {"type": "object", "properties": leaves}
    data = {"type": "object", "properties": {"req_data": {"type": "array", "items": [inner]}}}
    return {"type": "object", "properties": {"data": data}}


RULE = record(
    age={"type": "integer", "index": 2},
    income={"type": "number", "index": 0},
    city={"type": "string", "index": -1},
    member={"type": "boolean", "index": 1},
)


def rows(data, **options):
    reader = RowReader(**options)
    return [*reader.feed(data), *reader.end()]


def bodies(rule, data):
    mapping = Mapping(rule)
    return [mapping.body(row).decode() for row in rows(data)]


def test_the_documents_example_becomes_the_documents_requests():
    assert bodies(RULE, b"51200.5,true,44\n38000,false,29\n") == [
        '{"data":{"req_data":[{"age":44,"income":51200.5,"member":true}]}}',
        '{"data":{"req_data":[{"age":29,"income":38000,"member":false}]}}',
    ]
    assert Mapping(RULE).left_out == ["data.req_data[0].city"]


def test_the_rule_of_a_schema_numbers_its_leaves_and_keeps_its_tree():
    schema = record(age={"type": "integer", "minimum": 0}, tags={"type": "array", "items": {"type": "string"}}, any={})
    assert rule_for(schema) == record(
        age={"type": "integer", "index": 0}, tags={"type": "array", "items": [{"type": "string", "index": 1}]}
    )


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"images": {"type": "file"}}},
    ],
)
def test_a_schema_that_no_row_can_fill_has_no_rule(schema):
    with pytest.raises(Invalid):
        rule_for(schema)


@pytest.mark.parametrize("index", [-1, -7, 1.0, "0", None, True, [0]])
def test_an_index_that_is_none_leaves_its_field_out(index):
    rule = record(a={"type": "integer", "index": 0}, b={"type": "integer", "index": index})
    assert bodies(rule, b"1,2\n") == ['{"data":{"req_data":[{"a":1}]}}']


@pytest.mark.parametrize(
    ("type_", "cell", "value"),
    [
        ("number", "51200.5", "51200.5"),
        ("number", " 1.10 ", "1.10"),
        ("number", "12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("number", "+.5", "0.5"),
        ("number", "-007.", "-7"),
        ("number", "1E-7", "1e-7"),
        ("integer", "9007199254740993", "9007199254740993"),
        ("integer", "+007", "7"),
        ("integer", "4.40e1", "44"),
        ("boolean", "TRUE", "true"),
        ("boolean", " no ", "false"),
        ("boolean", "0", "false"),
        ("string", " 007 ", '" 007 "'),
        ("string", "", '""'),
        ("string", 'a"\\', '"a\\"\\\\"'),
    ],
)
def test_a_cell_becomes_a_value_of_its_type(type_, cell, value):
    rule = {"type": "object", "properties": {"a": {"type": type_, "index": 0}}}
    assert Mapping(rule).body(Row(1, 1, [cell])).decode() == f'{{"a":{value}}}'


@pytest.mark.parametrize(
    ("type_", "cell"),
    [
        ("number", "1,5"),
        ("number", "nan"),
        ("number", "inf"),
        ("number", "0x10"),
        ("number", "1_000"),
        ("number", "\u0661"),
        ("number", "."),
        ("integer", "1.5"),
        ("integer", "1e99999"),
        ("integer", "9" * 5000),
        ("boolean", "2"),
        ("boolean", "maybe"),
    ],
)
def test_a_cell_that_is_none_of_its_type_is_told_with_row_and_column(type_, cell):
    rule = {"type": "object", "properties": {"a": {"type": type_, "index": 1}}}
    with pytest.raises(Invalid, match=r"row 3 \(line 5\), cell 2: a: expected "):
        Mapping(rule).body(Row(3, 5, ["x", cell]))


def test_an_empty_cell_leaves_its_field_out_unless_it_is_required():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"]}
    assert bodies(rule_for(schema | {"required": ["b"]}), b" ,\n") == ['{"b":""}']
    with pytest.raises(Invalid, match="cell 1: a is required, and the cell is empty"):
        bodies(rule_for(schema), b",x\n")


def test_a_short_row_is_told():
    with pytest.raises(Invalid, match=r"row 1 \(line 1\) has 2 cells, and data.req_data\[0\].age takes cell 3"):
        bodies(RULE, b"1,true\n")


@pytest.mark.parametrize(
    "rule",
    [None, [], "x", {}, {"type": "object"}, {"type": "object", "properties": {"a": {"type": "integer"}}}, record(a=7)],
)
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(Invalid):
        Mapping(rule)


def test_a_rule_may_not_go_on_for_ever():
    rule = {"type": "integer", "index": 0}
    for _ in range(1000):
        rule = {"type": "object", "properties": {"a": rule}}
    with pytest.raises(Invalid, match="too deeply"):
        Mapping(rule)


def test_a_row_that_cannot_be_read_spoils_no_other():
    found = rows(b'a,b\n"x"y,1\ncaf\xe9,2\nc,d\n"open,\nfor ever\n')
    assert [row.cells for row in found] == [["a", "b"], [], [], ["c", "d"], []]
    assert [(row.number, row.line) for row in found if row.error] == [(2, 2), (3, 3), (5, 5)]
    assert "not UTF-8" in found[2].error
    assert "never closed" in found[4].error


def test_a_quote_that_nobody_closed_does_not_take_in_the_rest():
    found = rows(b'1,"open\n' + b"2,two\n" * 5000)
    assert "is a quote in it not closed?" in found[0].error
    assert len(found) > 3900


def test_a_table_of_headings_is_told_apart_only_on_request():
    assert [row.cells for row in rows(b"a,b\n1,2\n", header=True)] == [["1", "2"]]
    assert len(rows(b"a,b\n1,2\n")) == 2


def test_a_table_that_is_utf16_is_told_once():
    found = rows("a,b\n1,2\n".encode("utf-16"))
    assert len(found) == 1
    assert "UTF-16" in found[0].error


def test_a_value_is_no_json_of_its_own():
    rule = {"type": "object", "properties": {"a": {"type": "string", "index": 0}}}
    assert json.loads(Mapping(rule).body(Row(1, 1, ['","b":"\u2028']))) == {"a": '","b":"\u2028'}
