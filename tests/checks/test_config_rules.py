"""Everything that can be said of a config.json is a rule that can be explained, and each rule says its own thing."""

import json
import re
from pathlib import Path

import pytest

import mooring.contract
from mooring.checks import Evidence, Kind, Status, Wish, rule_named
from mooring.checks.rule import catalogue
from mooring.checks.rules import config_json
from mooring.checks.run import judged
from mooring.contract import Level, ModelConfig, edition, editions

CONTRACT = Path(mooring.contract.__file__).parent
CONFIGS = sorted((Path(__file__).parents[1] / "contract" / "configs").glob("*.json"))
# Judged with more than the file: the wish, the edition.
OF_THEIR_OWN = {"CFG-CT-02", "CFG-HEALTH-02"}
# What reading a config.json can be made to say, by section 9 of the contract's own list of rules.
SUGGESTED = {
    *(
        "CFG-ALG-01",
        "CFG-TYPE-01",
        "CFG-RUNTIME-01",
        "CFG-SWR-01",
        "CFG-API-01",
        "CFG-API-02",
        "CFG-CT-01",
        "CFG-CT-02",
    ),
    *("CFG-SCHEMA-01", "CFG-SCHEMA-02", "CFG-DEP-01", "CFG-DEP-02", "CFG-HEALTH-01", "CFG-TYPO-01", "CFG-MET-01"),
}


def ids_in_the_source():
    text = "\n".join(file.read_text(encoding="utf-8") for file in CONTRACT.rglob("*.py"))
    return set(re.findall(r'"(CFG-[A-Z]+-\d+)"', text))


def ids(example, rule):
    return {finding.id for finding in rule.judge(**example.evidence)}


def test_every_id_that_reading_can_produce_has_a_row_and_no_row_is_for_nothing():
    assert {rule.id for rule in config_json.RULES} == ids_in_the_source() - OF_THEIR_OWN


def test_what_is_judged_elsewhere_is_a_rule_too():
    assert {rule_named(name).id for name in OF_THEIR_OWN} == OF_THEIR_OWN


def test_every_rule_that_the_contract_suggests_is_there():
    assert {rule.id for rule in catalogue()} >= SUGGESTED


@pytest.mark.parametrize("rule", config_json.RULES, ids=lambda rule: rule.id)
def test_a_bad_config_is_told_as_gravely_as_the_rule_allows_and_a_good_one_not_at_all(rule):
    assert ids(rule.good[0], rule) == set()
    found = list(rule.judge(**rule.bad[0].evidence))
    assert {finding.id for finding in found} == {rule.id}
    assert min(finding.level.rank for finding in found) == rule.level.rank


@pytest.mark.parametrize("rule", config_json.RULES, ids=lambda rule: rule.id)
def test_every_row_explains_itself_in_sentences(rule):
    assert rule.title
    assert not rule.title.endswith(".")
    assert rule.why.endswith(".")
    assert rule.remedy.endswith(".")


@pytest.mark.parametrize("rule", config_json.RULES, ids=lambda rule: rule.id)
def test_a_finding_says_which_document_says_so_and_does_not_repeat_the_rule(rule):
    for finding in rule.judge(**rule.bad[0].evidence):
        assert finding.expected != rule.title
        assert finding.document
        assert finding.hint
        assert finding.line


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_nothing_that_is_told_of_a_real_file_is_graver_than_its_rule(file):
    weights = {rule.id: rule.level.rank for rule in catalogue()}
    config = ModelConfig.parse(file.read_bytes())
    for name in editions():
        for finding in config.check(edition(name)):
            assert finding.id in weights
            assert finding.level.rank >= weights[finding.id]


def test_a_rule_tells_what_the_reader_found_with_its_place():
    config = ModelConfig.parse(b'{"model_algorithm": "7seas", "model_type": "Image", "apis": [{"url": "/"}]}')
    evidence = Evidence({"config_findings": lambda: config.check(edition()), "edition": edition})
    result = judged(rule_named("CFG-ALG-01"), evidence, Wish())
    assert result.status is Status.FAILED
    (finding,) = result.findings
    assert finding.level is Level.MUST
    assert finding.where == "config.json:1:21"
    assert finding.document == edition().source(mooring.contract.vocabulary.CONFIG_ALGORITHM_MAX_LENGTH)


def test_without_a_config_the_rules_are_skipped():
    result = judged(rule_named("CFG-ALG-01"), Evidence({"edition": edition}), Wish())
    assert result.status is Status.SKIPPED


FORM = "multipart/form-data"
FILE = {"type": "object", "properties": {"images": {"type": "file"}}}
ROW = {
    "type": "object",
    "properties": {"rows": {"type": "array", "items": [{"properties": {"age": {"type": "integer"}}}]}},
}
ANSWER = {"Content-type": "application/json", "data": {"type": "object"}}


def api(request, *, response=ANSWER, **members):
    return {"url": "/", "method": "POST", "request": request, "response": response, **members}


def config_of(*apis, **members):
    return ModelConfig.parse(
        json.dumps({"model_algorithm": "a", "model_type": "Image", "apis": apis, **members}).encode()
    )


def for_batch(*apis):
    config = config_of(*apis)
    return judged(rule_named("CFG-CT-02"), Evidence({"config": lambda: config}), Wish(kind=Kind.BATCH))


def test_a_batch_takes_one_file_or_columns_of_a_table():
    assert for_batch(api({"Content-type": FORM, "data": FILE})).status is Status.PASSED
    assert for_batch(api({"Content-type": "application/json", "data": ROW})).status is Status.PASSED


UNFIT = [
    (api({"Content-type": "application/json"}), "request has no schema"),
    (api({"Content-type": "application/json", "data": ROW}, response={}), "response has no schema"),
    (api({"Content-type": "application/json", "data": {"type": "object"}}), "no column of a table"),
    (api({"Content-type": FORM, "data": ROW}), "a form without a file"),
    (api({"data": {"properties": {"a": {"type": "file"}, "b": {"type": "file"}}}}), "more than one file: b"),
    (api({"data": ROW}, method="GET"), "which only POST takes"),
]


@pytest.mark.parametrize(("unfit", "message"), UNFIT, ids=[message for _, message in UNFIT])
def test_a_batch_without_an_api_to_use_is_refused(unfit, message):
    result = for_batch(unfit)
    assert result.status is Status.FAILED
    assert result.findings[0].level is Level.MUST
    assert any(message in finding.message for finding in result.findings)


def test_one_api_that_a_batch_can_use_is_enough():
    result = for_batch(api({"Content-type": FORM, "data": FILE}), api({}, url="/b"), api({}, url="/c", method="GET"))
    assert result.status is Status.PASSED
    assert [finding.level for finding in result.findings] == [Level.INFO]
    assert "POST /b" in result.findings[0].message


def test_a_batch_wants_content_types_to_be_declared():
    result = for_batch(api({"data": ROW}))
    assert [finding.level for finding in result.findings] == [Level.SHOULD]
    assert "apis[0].request declares no Content-type" in result.findings[0].message


def test_a_real_time_service_need_not_be_usable_by_a_batch():
    result = judged(rule_named("CFG-CT-02"), Evidence({"config": lambda: config_of(api({}))}), Wish())
    assert result.status is Status.SKIPPED


@pytest.mark.parametrize(
    ("name", "rolling", "level"),
    [
        ("otc-2022", False, Level.INFO),
        ("otc-2022", True, Level.INFO),
        ("otc-2024", False, Level.SHOULD),
        ("otc-2024", True, Level.MUST),
        ("huawei-2021", False, Level.SHOULD),
    ],
)
def test_a_missing_health_block_weighs_what_it_costs(name, rolling, level):
    wish, config = Wish(rolling_upgrade=rolling), config_of({"url": "/"})
    evidence = Evidence({"config": lambda: config, "wish": lambda: wish, "edition": lambda: edition(name)})
    (finding,) = judged(rule_named("CFG-HEALTH-02"), evidence, wish).findings
    assert finding.level is level
    assert finding.document


def test_no_two_examples_of_one_rule_look_the_same_where_only_the_edition_differs():
    rule = rule_named("CFG-HEALTH-02")
    shown = [example.shown for example in (*rule.good, *rule.bad)]
    assert len(set(shown)) == len(shown)
    assert [text.split(":")[0] for text in shown] == [
        "under otc-2024",
        "under otc-2022",
        "under otc-2024",
        "under otc-2024, for an upgrade without interruption",
    ]
