"""A config.json is put right in its author's hand: it means the same, and only what was wrong changes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mooring.checks.mending import config_json
from mooring.checks.rules import config_json as config_json_rules
from mooring.contract import Level, ModelConfig, edition

CONFIGS = sorted((Path(__file__).parents[1] / "contract" / "configs").glob("*.json"))
LEFT = {"CFG-SCHEMA-06", "CFG-ALG-01"}
GOOD = """{
    "model_algorithm": "text_tools",
    "model_type": "Image",
    "apis": [{"url": "/", "method": "POST"}]
}
"""


def config_of(text):
    result = config_json.mended(text.encode())
    return result.data.decode() if result else text


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_config_is_mended_in_place_means_the_same_and_has_nothing_left_to_mend(file):
    data = file.read_bytes()
    result = config_json.mended(data)
    if result is None:
        assert {finding.id for finding in ModelConfig.parse(data).findings} <= LEFT
        return
    assert not result.anew
    again = ModelConfig.parse(result.data)
    assert {finding.id for finding in again.findings} <= LEFT
    assert again.clean() == ModelConfig.parse(data).clean()
    assert json.loads(result.data)
    assert config_json.mended(result.data) is None


def test_only_the_misspelt_line_changes():
    text = GOOD.replace('{"url": "/"', '{"procotol":  "http" ,\n\t"url":"/"')
    assert config_of(text) == text.replace("procotol", "protocol")


def test_a_good_config_is_not_touched():
    assert config_json.mended(GOOD.encode()) is None
    assert config_json.mended(GOOD.replace("\n", "\r\n").encode()) is None


def test_what_nobody_else_knows_is_left_to_the_author():
    dependencies = '"dependencies": [{"installer": "pip", "packages": [{"package_name": "numpy"}]}]'
    text = GOOD.replace('"apis"', f'{dependencies},\n    "colour": 1,\n    "apis"')
    assert config_json.mended(text.encode()) is None


def test_the_documents_own_lists_of_items_stay():
    schema = '{"type": "list", "items": [{"type": "float"}, {"type": "string", "items": [{"type": "int"}]}]}'
    text = GOOD.replace('"method"', f'"request": {{"data": {schema}}}, "method"')
    wanted = text.replace("list", "array").replace("float", "number").replace('"int"', '"integer"')
    assert config_of(text) == wanted


def test_comments_and_commas_go_and_line_breaks_stay():
    text = '{ // what it is\n  "model_algorithm": \'a"b\', /* x */ "model_type": "Image",\n\n  # apis\n'
    text += '  "apis": [{"url": "/"},],\n}\n'
    wanted = '{\n  "model_algorithm": "a\\"b",  "model_type": "Image",\n\n  "apis": [{"url": "/"}]\n}\n'
    assert config_of(text) == wanted


def test_slashes_and_signs_inside_texts_are_no_comments():
    text = GOOD.replace('"url": "/"', '"url": "/", "x-note": "http://a#b /* c */,]",')
    assert '"x-note": "http://a#b /* c */,]"' in config_of(text.replace('",, "method"', '", "method"'))


def test_an_image_s_runtime_goes():
    text = GOOD.replace('"apis"', '"runtime": "python3.7",\n    "apis"')
    assert config_of(text) == GOOD
    assert config_json.mended(text.encode()).rules == ("CFG-RUNTIME-01",)


def test_a_health_path_gets_its_slash():
    text = GOOD.replace('"apis"', '"health": {"url": "health"},\n    "apis"')
    assert '"health": {"url": "/health"}' in config_of(text)


def test_what_is_missing_is_filled_in_where_it_belongs():
    text = '{\n  "model_algorithm": "a",\n  "apis": [{"url": "/"}]\n}'
    assert config_of(text) == text.replace('"a",\n', '"a",\n  "model_type": "Image",\n', 1)
    text = '{"model_algorithm": "a", "model_type": "Image"}'
    assert json.loads(config_of(text))["apis"][0]["url"] == "/"


def test_what_only_the_author_can_tell_stays_missing():
    text = '{\n  "model_type": "Image",\n  "apis": [{"url": "/"}]\n}'
    assert config_json.mended(text.encode()) is None
    assert config_of(text.replace("Image", "image")) == text
    assert "model_algorithm" not in config_of(json.dumps(text))
    found = ModelConfig.parse(config_of(text).encode()).check(edition())
    assert [finding.level for finding in found if finding.id == "CFG-ALG-01"] == [Level.MUST]


def test_a_slip_in_a_required_name_is_mended_and_nothing_is_invented():
    text = GOOD.replace("model_algorithm", "model_algoritm")
    assert config_of(text) == GOOD
    assert config_json.mended(text.encode()).rules == ("CFG-TYPO-01",)


def test_a_list_of_apis_becomes_a_configuration():
    assert json.loads(config_of('[\n  {"url": "/a"}\n]'))["apis"] == [{"url": "/a"}]


def test_a_file_that_cannot_be_read_is_left_alone():
    assert config_json.mended(b'{"apis": [') is None


@pytest.mark.parametrize("row", list(config_json_rules._rows()), ids=lambda row: row["id"])
def test_a_mended_config_passes_the_rule_that_asked(row):
    result = config_json.mended(row["bad"].encode(row.get("encoding", "utf-8")))
    if result is None or row["id"] not in result.rules:
        return
    findings = ModelConfig.parse(result.data).check(edition())
    assert row["id"] not in {finding.id for finding in findings if finding.level is not Level.INFO}


SCALARS = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "/", "Image", "post", "list", "file", "12"])
)
NAMES = st.sampled_from(
    [
        *("model_type", "apis", "url", "procotol", "protocol", "request", "response", "data", "items", "item", "type"),
        *(
            "properties",
            "required",
            "health",
            "runtime",
            "metrics",
            "f1",
            "content_type",
            "input_params",
            "dependencies",
        ),
        *("packages", "package_name", "prefixItems", "additionalItems", "nullable", "x-note"),
    ]
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))


@given(st.dictionaries(NAMES, VALUES, max_size=5), st.sampled_from([None, 1, 4, "\t"]))
def test_whatever_can_be_read_is_mended_once_and_means_the_same(document, indent):
    data = json.dumps(document, indent=indent).encode()
    result = config_json.mended(data)
    if result is None:
        return
    after = ModelConfig.parse(result.data)
    assert {finding.id for finding in after.findings} <= LEFT
    assert after.apis == ModelConfig.parse(data).apis
    assert config_json.mended(result.data) is None
