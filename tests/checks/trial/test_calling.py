"""What is said to be wrong with an answer."""

import json

import pytest

from mooring.checks.trial.calling import faults
from mooring.contract import ModelConfig
from mooring.engine.wire import Reply

FIELDS = {"label": {"type": "string"}, "score": {"type": "number"}}


def api(data):
    one = {
        "protocol": "http",
        "url": "/",
        "method": "POST",
        "request": {"Content-type": "application/json", "data": {"type": "object"}},
        "response": {"Content-type": "application/json", "data": data},
    }
    document = {"model_algorithm": "reading", "model_type": "Image", "apis": [one]}
    return ModelConfig.parse(json.dumps(document).encode()).apis[0]


def said(data, value):
    return faults(api(data), Reply("200", status=200, body=json.dumps(value).encode()))


@pytest.mark.parametrize("value", [{"error": "no such key"}, {}])
def test_an_answer_without_any_declared_field_is_not_as_declared_though_none_is_required(value):
    assert said({"type": "object", "properties": FIELDS}, value) == (
        "it has none of the fields that config.json declares (label, score)",
    )


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"type": "object", "properties": FIELDS}, {"label": "a", "took": 3}),
        ({"type": "object"}, {"anything": 1}),
        ({"type": "array", "items": {"type": "number"}}, [1, 2]),
    ],
)
def test_an_answer_with_one_of_them_or_where_none_is_declared_is_as_declared(data, value):
    assert said(data, value) == ()


def test_what_is_required_is_named_once():
    assert len(said({"type": "object", "properties": FIELDS, "required": ["label"]}, {"error": "x"})) == 1
