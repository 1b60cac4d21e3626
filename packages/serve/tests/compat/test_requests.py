"""What `_preprocess` is given."""

import pytest

ECHO = """
from model_service.pytorch_model_service import PTServingBaseService

class Service(PTServingBaseService):
    def _preprocess(self, data):
        told = {}
        for field, files in data.items():
            told[field] = files if isinstance(files, str) else [
                [name, content.read().decode(), content.seek(0), content.seekable()] for name, content in files.items()
            ]
        return told

    def _inference(self, data):
        return data
"""


@pytest.fixture
def echo(package):
    return package.of("PyTorch", ECHO, weights__pth="")


def test_a_file_arrives_under_its_field_and_file_name_as_a_seekable_binary_file(echo):
    assert echo.ask({"files": [("images", "seven.jpg", b"7")]}).answer == (
        200,
        {"images": [["seven.jpg", "7", 0, True]]},
    )


def test_several_files_of_a_field_are_all_there_in_the_order_they_were_sent(echo):
    sent = [("images", "b.jpg", b"1"), ("images", "a.jpg", b"2"), ("images", "b.jpg", b"3"), ("other", "c.jpg", b"4")]
    _, body = echo.ask({"files": sent}).answer
    assert [row[:2] for row in body["images"]] == [["b.jpg", "1"], ["a.jpg", "2"], ["b-2.jpg", "3"]]
    assert [row[:2] for row in body["other"]] == [["c.jpg", "4"]]


def test_a_file_sent_without_a_name_is_named_for_its_field(echo):
    _, body = echo.ask({"files": [("images", "", b"1")]}).answer
    assert body["images"][0][:2] == ["images", "1"]


def test_text_fields_of_a_form_are_text_beside_its_files(echo):
    _, body = echo.ask({"value": {"threshold": "0.5"}, "files": [("photo", "x.png", b"1")]}).answer
    assert body["threshold"] == "0.5"
    assert body["photo"][0][:2] == ["x.png", "1"]


JSON = """
import json
{statement}

class Service({base}):
    def _preprocess(self, data):
        return data
    def _inference(self, data):
        return [type(data).__name__, list(data.keys()), data["b"], data.get("c"), isinstance(data, str)]
    def _postprocess(self, data):
        return data
"""


def test_json_arrives_decoded_in_the_order_it_was_sent_for_deep_learning_engines(package):
    statement = "from model_service.tfserving_model_service import TfServingBaseService"
    package.of("TensorFlow", JSON.format(statement=statement, base="TfServingBaseService"))
    assert package.ask({"value": {"b": 1, "a": 2}}).answer == (200, ["dict", ["b", "a"], 1, None, False])


@pytest.mark.parametrize(
    ("model_type", "module", "base", "weights"),
    [
        ("XGBoost", "python_model_service", "XgSklServingBaseService", "clf.m"),
        ("Scikit_Learn", "python_model_service", "XgSklServingBaseService", "clf.m"),
        ("Spark_MLlib", "spark_model_service", "SparkServingBaseService", "spark_model/metadata"),
    ],
)
def test_json_arrives_as_text_for_table_engines_and_can_be_used_as_a_dict_too(
    package, model_type, module, base, weights
):
    package.of(model_type, JSON.format(statement=f"from model_service.{module} import {base}", base=base))
    package.write(weights, "")
    assert package.ask({"value": {"b": 1, "a": 2}}).answer == (200, ["JsonText", ["b", "a"], 1, None, True])


def test_text_json_decodes_with_its_columns_in_the_order_they_were_sent(package):
    code = """
        import collections, json
        from model_service.python_model_service import XgSklServingBaseService

        class user_Service(XgSklServingBaseService):
            def _preprocess(self, data):
                told = json.loads(data, object_pairs_hook=collections.OrderedDict)
                return [list(row.items()) for row in told["data"]["req_data"]]
            def _inference(self, data):
                return data
    """
    package.of("Scikit_Learn", code, clf__m="")
    sent = {"data": {"req_data": [{"z": 1.5, "a": "é", "m": None}]}}
    assert package.ask({"value": sent}).answer == (200, [{"predictresult": [["z", 1.5], ["a", "é"], ["m", None]]}])


@pytest.mark.parametrize("value", [None, {}, ""])
def test_a_request_with_nothing_in_it_is_a_400_in_the_platforms_form(echo, value):
    status, body = echo.ask({"value": value}).answer
    assert (status, body["erno"], body["words_result"]) == (400, "MR.0101", {})


@pytest.mark.parametrize("value", [[], 0, False, [1, 2]])
def test_json_that_is_no_object_reaches_the_service(package, value):
    code = """
        from model_service.model_service import SingleNodeService

        class Service(SingleNodeService):
            def _inference(self, data):
                return {"got": data}
    """
    assert package.of("MindSpore", code).ask({"value": value}).answer == (200, {"got": value})
