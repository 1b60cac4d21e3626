"""Every oddity that people write into config.json means the same as the clean file, and is told with its place."""

import json
from pathlib import Path

import pytest

from mooring.contract import Level, ModelConfig

CONFIGS = Path(__file__).parent / "configs"
MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO

# A file in configs/, what is said of it, how much it weighs, and where: line and column.
QUIRKS = [
    ("api_at_the_top", "CFG-SHAPE-05", MUST, 7, 7),
    ("apis_is_one_object", "CFG-SHAPE-02", SHOULD, 7, 11),
    ("applicaton_json", "CFG-CT-01", SHOULD, 25, 25),
    ("bad_pattern", "CFG-SCHEMA-07", MUST, 37, 26),
    ("block_comment", "CFG-JSON-01", SHOULD, 3, 3),
    ("both_spellings", "CFG-TYPO-02", MUST, 9, 7),
    ("byte_order_mark", "CFG-ENC-02", INFO, 1, 1),
    ("chinese_blank", "CFG-JSON-08", SHOULD, 3, 16),
    ("configuration_in_a_list", "CFG-SHAPE-03", MUST, 1, 1),
    ("content_type_with_parameters", "CFG-CT-01", INFO, 25, 25),
    ("duplicate_key_other_value", "CFG-JSON-03", MUST, 4, 3),
    ("duplicate_key_same_value", "CFG-JSON-03", SHOULD, 37, 15),
    ("empty_for_absent", "CFG-NULL-02", SHOULD, 58, 14),
    ("empty_version", "CFG-DEP-05", INFO, 54, 30),
    ("file_without_content_type", "CFG-SCHEMA-02", SHOULD, 12, 18),
    ("float_type", "CFG-SCHEMA-01", SHOULD, 36, 23),
    ("gbk", "CFG-ENC-01", SHOULD, 3, 7),
    ("gbk", "CFG-JSON-01", SHOULD, 3, 3),
    ("hash_comment", "CFG-JSON-01", SHOULD, 3, 3),
    ("health_protocol_in_capitals", "CFG-CASE-01", INFO, 60, 17),
    ("item", "CFG-TYPO-01", SHOULD, 31, 15),
    ("items_in_a_list", "CFG-SCHEMA-06", INFO, 31, 24),
    ("json_in_a_text", "CFG-SHAPE-01", SHOULD, 4, 14),
    ("json_request_with_a_file", "CFG-SCHEMA-02", MUST, 13, 25),
    ("key_in_other_case", "CFG-CASE-01", INFO, 13, 9),
    ("key_with_a_blank", "CFG-CASE-01", INFO, 3, 3),
    ("limit_as_text", "CFG-SCHEMA-07", MUST, 37, 27),
    ("line_comment", "CFG-JSON-01", SHOULD, 3, 3),
    ("list_of_files", "CFG-SCHEMA-02", SHOULD, 17, 23),
    ("list_type", "CFG-SCHEMA-01", SHOULD, 30, 23),
    ("lower_case_method", "CFG-CASE-01", INFO, 11, 17),
    ("lower_case_model_type", "CFG-CASE-01", SHOULD, 3, 17),
    ("multipart_from_data", "CFG-CT-01", SHOULD, 13, 25),
    ("multipart_json_response", "CFG-CT-01", SHOULD, 25, 25),
    ("multipart_response", "CFG-CT-03", SHOULD, 25, 25),
    ("null_for_absent", "CFG-NULL-01", SHOULD, 58, 14),
    ("number_for_text", "CFG-KIND-01", SHOULD, 61, 30),
    ("outside_reference", "CFG-SCHEMA-08", MUST, 37, 23),
    ("package_as_text", "CFG-DEP-04", SHOULD, 52, 9),
    ("procotol", "CFG-TYPO-01", SHOULD, 9, 7),
    ("python_words", "CFG-JSON-05", SHOULD, 58, 14),
    ("required_as_text", "CFG-SHAPE-02", SHOULD, 21, 23),
    ("required_beside_data", "CFG-SHAPE-09", SHOULD, 22, 9),
    ("required_mark_on_a_property", "CFG-SCHEMA-05", SHOULD, 19, 27),
    ("response_inside_request", "CFG-SHAPE-07", MUST, 23, 7),
    ("rest_names", "CFG-SHAPE-08", SHOULD, 13, 7),
    ("restraint_as_sign", "CFG-CASE-01", INFO, 50, 24),
    ("restraint_without_version", "CFG-DEP-02", SHOULD, 54, 24),
    ("schema_keyword", "CFG-SCHEMA-04", INFO, 15, 11),
    ("schema_without_wrapper", "CFG-SHAPE-09", SHOULD, 25, 9),
    ("single_quotes", "CFG-JSON-04", SHOULD, 3, 17),
    ("text_for_number", "CFG-KIND-01", SHOULD, 5, 11),
    ("trailing_comma_in_list", "CFG-JSON-02", SHOULD, 21, 32),
    ("trailing_comma_in_object", "CFG-JSON-02", SHOULD, 5, 15),
    ("trailing_comma_left_by_a_comment", "CFG-JSON-02", SHOULD, 5, 15),
    ("type_in_other_case", "CFG-SCHEMA-01", INFO, 32, 25),
    ("type_name_for_schema", "CFG-SCHEMA-03", SHOULD, 35, 22),
    ("url_with_host", "CFG-URL-01", SHOULD, 10, 14),
    ("url_without_slash", "CFG-NULL-02", SHOULD, 10, 14),
    ("utf_16", "CFG-ENC-03", SHOULD, 1, 1),
    ("version_in_the_name", "CFG-DEP-04", SHOULD, 48, 27),
]
# Files that differ from the clean one in nothing that JSON would mind.
HARMLESS = ["clean", "crlf", "cr"]


def load(name):
    return ModelConfig.load(CONFIGS / f"{name}.json")


@pytest.mark.parametrize(("name", "rule", "level", "line", "column"), QUIRKS, ids=[f"{q[0]}-{q[1]}" for q in QUIRKS])
def test_an_oddity_is_told_at_its_place(name, rule, level, line, column):
    told = {(f.id, f.level, f.line, f.column) for f in load(name).findings}
    assert (rule, level, line, column) in told


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.json")), ids=lambda file: file.stem)
def test_whatever_the_oddity_the_file_means_the_same(file):
    assert ModelConfig.load(file).clean() == json.loads((CONFIGS / "clean.json").read_text())


@pytest.mark.parametrize("name", HARMLESS)
def test_line_ends_are_no_oddity(name):
    assert load(name).findings == ()


def test_every_fixture_is_judged():
    assert {file.stem for file in CONFIGS.glob("*.json")} == {quirk[0] for quirk in QUIRKS} | set(HARMLESS)


def test_a_mend_says_what_was_seen_and_what_it_was_read_as():
    (finding,) = load("procotol").findings
    assert (finding.seen, finding.read_as) == ("procotol", "protocol")
    assert finding.where.endswith("procotol.json:9:7")
    assert finding.hint == "write 'protocol'"


def data_of(schema, side="response"):
    body = {"Content-type": "application/json", "data": schema}
    config = ModelConfig.parse(
        json.dumps({"model_algorithm": "a", "model_type": "Image", "apis": [{side: body}]}).encode()
    )
    return getattr(config.apis[0], side).data, {finding.id: finding for finding in config.findings}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"type": "list", "items": [{"type": "json"}]}, {"type": "array", "items": {}}),
        ({"type": "array", "items": []}, {"type": "array"}),
        ({"type": "list"}, {"type": "array"}),
        ({"type": "timestamp"}, {}),
        ({"type": "box"}, {}),
        ({"type": "date"}, {"type": "string"}),
        ({"type": "int"}, {"type": "integer"}),
        ({"type": "tensor"}, {}),
        ({"type": ["Str", "null"]}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "integer", "minimum": "3"}, {"type": "integer", "minimum": 3}),
        ({"$ref": "#/$defs/no"}, {}),
        ({"$ref": "file:///etc/hostname"}, {}),
        ({"type": "object", "properties": {"a": None}}, {"type": "object", "properties": {"a": {}}}),
        ("a list of labels", {"description": "a list of labels"}),
        ({"required": ["a", "a"]}, {"required": ["a"]}),
        (
            {"type": "array", "minItems": 2, "maxItems": 2, "items": [{"type": "string"}, {"type": "float"}]},
            {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "string"}, {"type": "number"}]},
        ),
        (
            {"items": [{"type": "string"}, {"type": "number"}], "additionalItems": False},
            {"prefixItems": [{"type": "string"}, {"type": "number"}], "items": False},
        ),
        ({"type": "object", "properties": {"a": {"type": "file"}}}, {"type": "object", "properties": {"a": {}}}),
    ],
)
def test_the_dialect_becomes_json_schema(written, meant):
    data, findings = data_of(written)
    assert data == meant
    assert findings


def test_a_file_deep_inside_a_request_cannot_be_one():
    inner = {"type": "object", "properties": {"photo": {"type": "file"}}}
    data, findings = data_of({"type": "object", "properties": {"user": inner}}, side="request")
    assert data["properties"]["user"]["properties"]["photo"] == {}
    assert findings["CFG-SCHEMA-02"].level is MUST


def test_flat_rest_parameters_become_properties():
    params = [
        {"param_name": "age", "param_type": "int", "min": 0, "max": 120},
        {"param_name": "photo", "param_type": "file"},
    ]
    document = {"model_algorithm": "a", "model_type": "Image", "apis": [{"url": "/", "input_params": params}]}
    api = ModelConfig.parse(json.dumps(document).encode()).apis[0]
    assert api.request.content_type == "multipart/form-data"
    assert api.request.data["properties"]["age"] == {"type": "integer", "minimum": 0, "maximum": 120}
    assert api.file_fields == ("photo",)


@pytest.mark.parametrize(
    ("name", "message", "read_as"),
    [
        ("lower_case_model_type", "model_type is written 'pytorch', read as 'PyTorch'", "PyTorch"),
        ("restraint_as_sign", "restraint is written '>=', read as 'ATLEAST'", "ATLEAST"),
        ("health_protocol_in_capitals", "protocol is written 'HTTP', read as 'http'", "http"),
    ],
)
def test_a_spelling_is_told_as_it_stands_in_the_file(name, message, read_as):
    (finding,) = [finding for finding in load(name).findings if finding.id == "CFG-CASE-01"]
    assert (finding.message, finding.read_as, finding.hint) == (message, read_as, f"write {read_as!r}")


@pytest.mark.parametrize(("name", "encoding"), [("gbk", "GBK"), ("utf_16", "UTF-16")])
def test_a_file_in_another_encoding_is_told_which(name, encoding):
    (finding,) = [finding for finding in load(name).findings if finding.id.startswith("CFG-ENC")]
    assert finding.message == f"the file is {encoding}, not UTF-8"
    assert (finding.seen, finding.read_as) == (encoding, "")


def test_an_image_among_the_fields_of_a_form_is_hinted_to_be_a_file():
    schema = {"type": "object", "properties": {"images": {"type": "image"}}}
    asked, answered = (data_of(schema, side=side)[1]["CFG-SCHEMA-01"].hint for side in ("request", "response"))
    assert asked == "did you mean 'file'?"
    assert "file" not in answered


GOOD = {"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/predict"}]}


def read(document):
    return ModelConfig.parse(json.dumps(document).encode())


def without(name, **others):
    return {key: value for key, value in GOOD.items() if key != name} | others


SLIPS = [
    (without("model_algorithm", model_algoritm="text_tools"), "model_algorithm", MUST),
    (without("model_type", model_typ="Image"), "model_type", MUST),
    (without("apis", api=[{"url": "/predict"}]), "apis", SHOULD),
    ({**GOOD, "heath": {"url": "/health"}}, "health", SHOULD),
    ({**GOOD, "health": {"url": "/health", "procotol": "http"}}, "protocol", SHOULD),
    ({**GOOD, "health": {"url": "/health", "time_out_secconds": "3"}}, "timeout_seconds", SHOULD),
    ({**GOOD, "apis": [{"url": "/", "reponse": {"data": {}}}]}, "response", SHOULD),
    ({**GOOD, "apis": [{"url": "/", "requets": {"data": {}}}]}, "request", SHOULD),
    ({**GOOD, "apis": [{"url": "/", "metod": "GET"}]}, "method", SHOULD),
    ({**GOOD, "apis": [{"url": "/", "request": {"Content-tpye": "application/json"}}]}, "Content-type", SHOULD),
    ({**GOOD, "dependancies": [{"installer": "pip", "packages": []}]}, "dependencies", SHOULD),
    ({**GOOD, "dependencies": [{"instaler": "pip", "packages": []}]}, "installer", MUST),
    ({**GOOD, "dependencies": [{"installer": "pip", "packages": [{"package_nmae": "x"}]}]}, "package_name", MUST),
]


@pytest.mark.parametrize(("document", "name", "level"), SLIPS, ids=[name for _, name, _ in SLIPS])
def test_a_slip_of_the_pen_in_a_name_is_read_as_what_is_meant(document, name, level):
    config = read(document)
    (finding,) = config.findings
    assert (finding.id, finding.level, finding.read_as) == ("CFG-TYPO-01", level, name)
    assert finding.hint == f"write {name!r}"
    assert f'"{finding.seen}"' not in json.dumps(config.clean())
    assert f'"{name}"' in json.dumps(config.clean())


NO_SLIPS = [
    {**GOOD, "model_algoritm": "other"},
    without("model_algorithm", model_algoritm="a", model_algorthm="b"),
    without("model_algorithm", model_algoritm=["a"]),
    without("model_algorithm", **{"x-model_algorithm": "a"}),
    {**GOOD, "heath": True},
    {**GOOD, "heath": None},
    {**GOOD, "health2": {"url": "/health"}},
    {**GOOD, "x-health": {"url": "/health"}},
    {**GOOD, "colour": "green"},
    {**GOOD, "metrics": {"acuracy": 0.9}},
    {**GOOD, "apis": [{"ulr": "/predict"}]},
    {**GOOD, "health": {"url": "/health", "success_threshold": "1"}},
]


@pytest.mark.parametrize("document", NO_SLIPS, ids=[str(n) for n in range(len(NO_SLIPS))])
def test_a_name_that_may_be_another_is_left_as_it_is(document):
    assert "CFG-TYPO-01" not in {finding.id for finding in read(document).findings}


def test_an_object_of_thousands_of_names_is_read_quickly_and_as_it_is():
    names = {f"model_algorit{a}{b}{c}": "a" for a in "abcdefghij" for b in "abcdefghij" for c in "abcdefghij"}
    assert len(read(without("model_algorithm", **names)).extra) == len(names)
