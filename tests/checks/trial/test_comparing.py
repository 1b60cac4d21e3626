import json

import pytest

from mooring.checks.trial.comparing import compared
from mooring.engine.wire import Reply


def reply(value):
    return Reply("200", status=200, body=json.dumps(value).encode())


@pytest.mark.parametrize(
    ("first", "second", "differing", "of_the_call"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, "", False),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "a[1].b", False),
        ({"took_ms": 1, "label": "x"}, {"took_ms": 2, "label": "x"}, "took_ms", True),
        ({"meta": {"requestId": "a"}}, {"meta": {"requestId": "b"}}, "meta.requestId", True),
        ({"latency": 1, "score": 0.1}, {"latency": 2, "score": 0.2}, "score", False),
        ({"times": 1}, {"times": 2}, "times", False),
        ([1, 2], [1], "the answer as a whole", False),
        ({"a": float("nan")}, {"a": float("nan")}, "", False),
    ],
)
def test_the_first_difference_is_named_and_one_of_the_model_goes_first(first, second, differing, of_the_call):
    seen = compared("POST /", reply(first), reply(second))
    assert (seen.differing, seen.of_the_call) == (differing, of_the_call)


def test_answers_that_are_no_json_are_compared_as_a_whole():
    assert compared("POST /", Reply("200", body=b"a"), Reply("200", body=b"a")).differing == ""
    assert compared("POST /", Reply("200", body=b"a"), Reply("200", body=b"b")).differing == "the answer as a whole"
