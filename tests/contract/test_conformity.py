"""What an edition has against a config.json that could be read."""

import json

import pytest

from mooring.contract import Level, ModelConfig, edition

FORM = "multipart/form-data"


def api(**members):
    return {"protocol": "http", "url": "/", "method": "POST", **members}


def config(**members):
    document = {"model_algorithm": "image_classification", "model_type": "Image", "apis": [api()], **members}
    return ModelConfig.parse(json.dumps(document, indent=1).encode())


def told(name="otc-2022", **members):
    return {finding.id: finding for finding in config(**members).check(edition(name))}


def response(schema):
    return [api(response={"Content-type": "application/json", "data": schema})]


BREACHES = [
    ("CFG-ALG-01", Level.MUST, {"model_algorithm": "7seas"}, "must begin with a letter"),
    ("CFG-ALG-01", Level.MUST, {"model_algorithm": "a" * 37}, "has 37 characters; 36 are allowed"),
    ("CFG-ALG-01", Level.MUST, {"model_algorithm": "cats&dogs"}, "must not hold &"),
    ("CFG-ALG-01", Level.MUST, {"model_algorithm": "a模型"}, "Latin letters"),
    ("CFG-TYPE-01", Level.MUST, {"model_type": "Keras"}, "knows no model_type 'Keras'"),
    ("CFG-RUNTIME-01", Level.SHOULD, {"runtime": "python3.7"}, "an image has no runtime"),
    ("CFG-SWR-01", Level.MUST, {"model_type": "PyTorch", "swr_location": "swr.example/a:1"}, "only an image"),
    ("CFG-SWR-01", Level.INFO, {"swr_location": "swr.example/a:1"}, "only when a package in object storage"),
    ("CFG-API-01", Level.MUST, {"apis": [api(), api()]}, "apis[1] answers POST /, as apis[0] does"),
    ("CFG-API-02", Level.MUST, {"model_type": "PyTorch", "apis": [api(), api(url="/a")]}, "'/', not '/a'"),
    ("CFG-API-04", Level.MUST, {"apis": [api(method="PATCH")]}, "apis[0].method is 'PATCH'"),
    ("CFG-URL-02", Level.MUST, {"apis": [api(url="/a?b=c")]}, "not a plain path"),
    ("CFG-PROTO-01", Level.MUST, {"apis": [api(protocol="grpc")]}, "'grpc'"),
    ("CFG-CT-01", Level.SHOULD, {"apis": [api(request={"Content-type": "text/plain"})]}, "'text/plain'"),
    (
        "CFG-CT-04",
        Level.MUST,
        {"model_type": "XGBoost", "apis": [api(request={"Content-type": FORM})]},
        "reads application/json only",
    ),
    ("CFG-CT-02", Level.INFO, {}, "no batch service can use it"),
    ("CFG-SCHEMA-09", Level.SHOULD, {"apis": response({"required": ["b"], "properties": {"a": {}}})}, "requires 'b'"),
    ("CFG-SCHEMA-10", Level.INFO, {"apis": response({"type": "array"})}, "a list of anything"),
    ("CFG-SCHEMA-11", Level.SHOULD, {"apis": response({"type": "object", "label": {}})}, "'label' is not a keyword"),
    (
        "CFG-SCHEMA-12",
        Level.MUST,
        {"apis": response({"properties": {"a": {"items": {"minLength": 3, "maxLength": 2}}}})},
        "apis[0].response.data.properties.a.items: minLength 3 is more than maxLength 2",
    ),
    (
        "CFG-DEP-01",
        Level.MUST,
        {"dependencies": [{"installer": "pip", "packages": [{"package_name": "numpy"}]}]},
        "never installed",
    ),
    ("CFG-DEP-06", Level.MUST, {"dependencies": [{"installer": "conda", "packages": []}]}, "'conda'"),
    (
        "CFG-DEP-07",
        Level.MUST,
        {"dependencies": [{"installer": "pip", "packages": [{"package_name": "numpy<2"}]}]},
        "must not hold <",
    ),
    ("CFG-HEALTH-01", Level.MUST, {"health": {}}, "health has no url"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"check_method": "EXEC"}}, "health has no command"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"url": "/h", "check_method": "TCP"}}, "HTTP or EXEC"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"url": "health"}}, "begins with '/'"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"url": "/h", "protocol": "https"}}, "by http"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"url": "/h", "timeout_seconds": "3s"}}, "not '3s'"),
    ("CFG-HEALTH-01", Level.MUST, {"health": {"url": "/h", "period_seconds": "0"}}, "between 1 and 2147483647"),
    ("CFG-HEALTH-01", Level.MUST, {"startup_health": {"url": "/h", "period_seconds": "9" * 5000}}, "startup_health"),
    ("CFG-HEALTH-02", Level.INFO, {}, "asks every image for a health endpoint, and /health is asked"),
    ("CFG-HEALTH-03", Level.INFO, {"model_type": "PyTorch", "health": {"url": "/h"}}, "for images only"),
    ("CFG-MET-01", Level.MUST, {"metrics": {"f1": "high"}}, "must be a number, not the text 'high'"),
    ("CFG-MET-02", Level.INFO, {"metrics": {"mAP": 0.6}}, "metrics.mAP is not shown"),
    ("CFG-KEY-01", Level.SHOULD, {"model_algoritm": "a"}, "no 'model_algoritm'"),
]


@pytest.mark.parametrize(
    ("rule", "level", "members", "message"), BREACHES, ids=[f"{n}-{b[0]}" for n, b in enumerate(BREACHES)]
)
def test_a_breach_is_told_with_its_place_and_weight(rule, level, members, message):
    finding = told(**members)[rule]
    assert finding.level is level
    assert message in finding.message
    assert finding.line > 0


def test_a_good_image_has_nothing_told_against_it():
    schema = {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}
    good = config(
        apis=[
            api(
                request={"Content-type": FORM, "data": {"type": "object", "properties": {"images": {"type": "file"}}}},
                response={"Content-type": "application/json", "data": schema},
            )
        ],
        health={"url": "/health", "protocol": "http", "initial_delay_seconds": "12", "timeout_seconds": "3"},
        metrics={"f1": 0.91},
    )
    assert good.check(edition("otc-2022")) == ()


def test_digits_that_would_be_lost_are_told():
    text = b'{"model_algorithm": "a", "model_type": "Image", "metrics": {"f1": 0.123456789012345678}}'
    assert "CFG-MET-01" in {finding.id for finding in ModelConfig.parse(text).check(edition())}


def test_the_gravest_findings_come_first():
    levels = [
        finding.level.rank for finding in config(runtime="x", model_algorithm="7", metrics={"mAP": 1}).check(edition())
    ]
    assert levels == sorted(levels)
    assert levels[0] == 0


def test_editions_judge_differently():
    assert "CFG-TYPE-01" in told("otc-2024", model_type="MXNet")
    assert "CFG-TYPE-01" not in told("otc-2022", model_type="MXNet")
    assert "no upgrade is seamless" in told("otc-2024")["CFG-HEALTH-02"].message
    assert told("otc-2024")["CFG-HEALTH-02"].level is Level.SHOULD


def test_names_of_ones_own_are_told_and_weigh_nothing():
    extra = {"x-port": "8000", "apis": [api(**{"x-team": "wind"})], "health": {"url": "/h", "x-note": 1}}
    levels = [finding.level for finding in config(**extra).check(edition()) if finding.id == "CFG-KEY-01"]
    assert levels == [Level.INFO] * 3


def test_what_was_mended_is_told_too():
    assert "CFG-CASE-01" in told(apis=[api(method="post")])


PACKAGE = {"installer": "pip", "packages": [{"package_name": "numpy"}]}
MISSPELT = [
    ({"mdl_typ": "Image"}, "CFG-KEY-01", "did you mean 'model_type'?"),
    ({"algorithms": "a"}, "CFG-KEY-01", "did you mean 'model_algorithm'?"),
    ({"ap": []}, "CFG-KEY-01", "did you mean 'apis'?"),
    ({"apis": [api(respnc={})]}, "CFG-KEY-01", "did you mean 'response'?"),
    ({"apis": [api(request={"contnt-tp": FORM})]}, "CFG-KEY-01", "did you mean 'Content-type'?"),
    ({"apis": [api(response={"data2": {}})]}, "CFG-KEY-01", "did you mean 'data'?"),
    ({"apis": response({"propertes": {}})}, "CFG-SCHEMA-11", "did you mean 'properties'?"),
    ({"apis": response({"requierd": []})}, "CFG-SCHEMA-11", "did you mean 'required'?"),
    ({"dependencies": [PACKAGE | {"instaler": "pip"}]}, "CFG-KEY-01", "it is kept as it is"),
    ({"dependencies": [{"instlr": "pip", "packages": []}]}, "CFG-KEY-01", "did you mean 'installer'?"),
    (
        {"dependencies": [{"installer": "pip", "packages": [{"package_name": "a", "version": "1"}]}]},
        "CFG-KEY-01",
        "did you mean 'package_version'?",
    ),
    ({"health": {"url": "/", "initial_delay": "5"}}, "CFG-KEY-01", "did you mean 'initial_delay_seconds'?"),
    ({"metrics": {"acuracy": 1}}, "CFG-MET-02", "did you mean 'accuracy'?"),
]


@pytest.mark.parametrize(
    ("members", "rule", "hint"), MISSPELT, ids=[each[2] + str(n) for n, each in enumerate(MISSPELT)]
)
def test_a_misspelt_name_is_told_with_the_name_that_is_missing(members, rule, hint):
    document = {"model_algorithm": "a", "model_type": "Image", "apis": [api()], **members}
    for written, meant in (("mdl_typ", "model_type"), ("ap", "apis"), ("algorithms", "model_algorithm")):
        if written in document:
            del document[meant]
    found = ModelConfig.parse(json.dumps(document).encode()).check(edition())
    told = {finding.id: finding for finding in found}[rule]
    assert hint in told.hint
    assert told.level is Level.SHOULD


def test_what_is_missing_is_told_where_it_is_missing():
    document = b"""{
  "model_algorithm": "a", "model_type": "Image",
  "apis": [
    {"url": "/", "method": "POST",
     "request": {"Content-type": "application/json", "data": {"type": "object"}},
     "response": {"Content-type": "application/json"}},
    {"url": "/b"}
  ]
}"""
    found = ModelConfig.parse(document).check(edition())
    assert [(f.line, f.column) for f in found if f.id == "CFG-HEALTH-02"] == [(1, 1)]
    assert [(f.line, f.column) for f in found if f.id == "CFG-CT-02"] == [(6, 18), (7, 5)]


def test_a_get_need_not_declare_what_it_takes():
    assert "CFG-CT-02" not in told(apis=[api(method="GET", response={"data": {"type": "object"}})])
    assert "CFG-CT-02" not in told(apis=[api(method="GET")])
