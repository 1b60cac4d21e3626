"""The report that programs read fits its published schema, and holds everything there is to know."""

import dataclasses
import json
from pathlib import Path

import jsonschema_rs
import pytest
from checks.render.reports import EVERYTHING, FAILED, HOSTILE, PORT, UNKNOWN, every_report, report, result

from mooring.checks import Status, Wish
from mooring.checks.render import Format, render
from mooring.checks.render.json_schema import report_schema
from mooring.contract import Finding

VALIDATOR = jsonschema_rs.validator_for(report_schema())


def document(any_report):
    return json.loads(render(any_report, Format.JSON))


def test_the_schema_is_one():
    jsonschema_rs.meta.validate(report_schema())
    published = Path(__file__).parents[3] / "docs" / "report.schema.json"
    assert json.loads(published.read_text()) == report_schema()


@every_report
def test_every_report_fits_the_schema(any_report):
    VALIDATOR.validate(document(any_report))


def test_a_report_that_leaves_out_or_invents_something_does_not_fit():
    whole = document(EVERYTHING)
    for path in ((), ("subject",), ("wish",), ("counts",), ("results", 0), ("results", 1, "findings", 0)):
        for change in ("without", "with"):
            spoilt = json.loads(json.dumps(whole))
            part = spoilt
            for step in path:
                part = part[step]
            if change == "without":
                part.pop(next(iter(part)))
            else:
                part["invented"] = 1
            assert not VALIDATOR.is_valid(spoilt), (path, change)


def test_every_field_of_a_finding_a_result_and_a_subject_is_there():
    whole = document(report(FAILED))
    written = whole["results"][0]["findings"][0]
    assert written == {**dataclasses.asdict(FAILED.findings[0]), "level": "must", "causes": []}
    assert whole["subject"] == dataclasses.asdict(EVERYTHING.subject)
    assert whole["results"][0].keys() == {field.name for field in dataclasses.fields(FAILED)}
    assert whole["wish"].keys() == {field.name for field in dataclasses.fields(Wish)}


def test_a_rule_is_described_once_and_named_by_results():
    whole = document(EVERYTHING)
    assert [each["rule"] for each in whole["results"]] == list(whole["rules"])
    assert whole["rules"]["IMG-LOG-01"] == {
        "title": "It logs to standard output",
        "why": "Nobody reaches it otherwise.\n\nA second paragraph.",
        "remedy": "Do what the rule says.",
        "level": "should",
        "rolling": "must",
        "kind": "both",
        "runs": True,
        "facts": ["service.port"],
    }


@pytest.mark.parametrize(("results", "verdict"), [((), "keeps"), ((FAILED,), "breaks"), ((UNKNOWN,), "incomplete")])
def test_the_verdict_is_a_word(results, verdict):
    assert document(report(*results))["verdict"] == verdict


def test_the_counts_are_of_rules():
    counts = document(EVERYTHING)["counts"]
    assert counts == {"passed": 2, "failed": 2, "accepted": 1, "skipped": 1, "unknown": 1}


def test_it_is_ascii_whatever_it_says():
    output = render(report(result(PORT, Status.FAILED, Finding(message=HOSTILE + "数"))), Format.JSON)
    assert output.isascii()
    message = json.loads(output)["results"][0]["findings"][0]["message"]
    assert message == HOSTILE.replace("\udce9", "\\udce9") + "数"
