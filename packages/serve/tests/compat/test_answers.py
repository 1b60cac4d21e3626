"""What callers are told, of results and of mistakes."""

import pytest

FAILED = {"erno": "MR.0105", "msg": "Recognition failed", "words_result": {}}
SERVICE = """
import collections, decimal, math, sys
from model_service.model_service import SingleNodeService

class Scalar:
    def __init__(self, value):
        self.value = value
    def tolist(self):
        return self.value

class Tensor:
    def numpy(self):
        return Scalar([[1.5]])

class Service(SingleNodeService):
    def _inference(self, data):
        {doing}
"""


@pytest.fixture
def doing(package):
    return lambda line: package.of("MindSpore", SERVICE.format(doing=line)).ask({"value": {"a": 1}})


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('return data["images"]', 400),
        ("return data + 1", 400),
        ('raise ValueError("bad")', 500),
        ("return 1 / 0", 500),
        ("return [][0]", 500),
        ("sys.exit(3)", 500),
    ],
)
def test_a_mistake_in_the_package_is_answered_in_the_platforms_form(doing, line, status):
    assert doing(line).answer == (status, FAILED)


def test_the_cause_of_a_mistake_is_one_line_of_the_log_with_file_line_and_code(doing):
    (line,) = doing('return data["images"]').output.splitlines()
    assert "KeyError: 'images'" in line
    assert 'customize_service.py:17 in _inference: return data["images"]' in line


def test_an_error_message_of_several_lines_stays_one_line(doing):
    assert len(doing(r'raise ValueError("first\nsecond")').output.splitlines()) == 1


@pytest.mark.parametrize(
    ("expression", "body"),
    [
        ("Scalar(7)", 7),
        ("[Scalar([1, 2]), Tensor()]", [[1, 2], [[1.5]]]),
        ('collections.OrderedDict([("b", (1, 2)), ("a", Scalar(0.5))])', {"b": [1, 2], "a": 0.5}),
        ('{"label": b"cat"}', {"label": "cat"}),
        ('"垃圾"', "垃圾"),
        ("None", None),
    ],
)
def test_results_become_json_whatever_library_they_come_from(doing, expression, body):
    assert doing(f"return {expression}").answer == (200, body)


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ('{"p": [math.nan]}', "result['p'][0] is nan, a number that JSON cannot carry"),
        ('{"p": decimal.Decimal(1)}', "result['p'] is a decimal.Decimal, which has no JSON form"),
        ('{"p": bytes([255])}', "result['p'] is bytes that are not UTF-8 text"),
        ("{(1, 2): 3}", "a key of result is (1, 2), expected text or a number"),
    ],
)
def test_a_result_that_json_cannot_carry_is_a_500_and_the_log_names_the_place(doing, expression, told):
    run = doing(f"return {expression}")
    assert run.answer == (500, FAILED)
    assert told in run.output


def test_a_package_may_refuse_a_request_in_its_own_words(doing):
    line = 'import mooring_serve; raise mooring_serve.BadInput("a is too small")'
    assert doing(line).answer == (400, "a is too small")


LIST = """
from model_service.python_model_service import XgSklServingBaseService

class Service(XgSklServingBaseService):
    def _inference(self, data):
        return [sum(row) for row in data]
"""
ROWS = {"meta": {"uuid": "1"}, "data": {"req_data": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}}
BARE = [{"predictresult": 3}, {"predictresult": 7}]


def test_a_table_service_answers_the_list_it_returns(package):
    assert package.of("XGBoost", LIST, clf__m="").ask({"value": ROWS}).answer == (200, BARE)


def test_a_table_service_answers_in_the_envelope_that_its_config_declares(package):
    rows = {"type": "object", "properties": {"resp_data": {"type": "array"}}}
    package.config["apis"][0]["response"]["data"] = {"type": "object", "properties": {"data": rows}}
    answer = {"meta": {"uuid": "1"}, "data": {"resp_data": BARE}}
    assert package.of("XGBoost", LIST, clf__m="").ask({"value": ROWS}).answer == (200, answer)
