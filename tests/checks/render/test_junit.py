"""JUnit XML that fits the format's schema, and that a consumer of it reads as it is meant."""

from pathlib import Path

import junitparser
import pytest
import xmlschema
from checks.render.reports import (
    ACCEPTED,
    EVERYTHING,
    FAILED,
    HOSTILE,
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

from mooring.checks import Status, Verdict, Wish
from mooring.checks.render import Format, render
from mooring.contract import Finding, Level

SCHEMA = xmlschema.XMLSchema11(Path(__file__).parent / "junit.xsd")


def suite(any_report):
    """The one suite, as junitparser reads it."""
    suites = list(junitparser.JUnitXml.fromstring(render(any_report, Format.JUNIT).encode()))
    assert len(suites) == 1
    return suites[0]


def outcome(one, *, fail_on=Level.MUST):
    """How the one case of a report with one result ended, and what its output says."""
    (case,) = suite(report(one, wish=Wish(fail_on=fail_on)))
    return [type(each).__name__ for each in case.result], case


@every_report
def test_every_report_fits_the_schema(any_report):
    SCHEMA.validate(render(any_report, Format.JUNIT))


@every_report
def test_a_build_turns_red_exactly_when_the_check_does(any_report):
    read = suite(any_report)
    assert (read.failures > 0) == (any_report.verdict is Verdict.BREAKS)
    assert (read.failures + read.errors > 0) == (any_report.verdict is not Verdict.KEEPS)


@every_report
def test_what_was_not_judged_never_looks_passed(any_report):
    for case, one in zip(suite(any_report), any_report.results, strict=True):
        if one.status in {Status.UNKNOWN, Status.SKIPPED, Status.ACCEPTED}:
            assert not case.is_passed


def test_a_case_is_a_rule_of_an_area():
    cases = [(case.classname, case.name) for case in suite(EVERYTHING)]
    assert cases[1] == ("IMG.PORT", "IMG-PORT-01 It listens on the port of the contract")
    assert len(cases) == len(EVERYTHING.results)


def test_the_suite_counts_its_cases():
    read = suite(EVERYTHING)
    counted = (read.tests, read.failures, read.errors, read.skipped)
    assert counted == (7, 1, 1, 2)
    assert read.time == 12.5
    assert read.name == "mooring check mnist:1"
    read.update_statistics()
    assert (read.tests, read.failures, read.errors, read.skipped) == counted


def test_a_failure_says_all_that_was_found():
    kinds, case = outcome(FAILED)
    assert kinds == ["Failure"]
    assert case.result[0].message == "it listens on 127.0.0.1:8080"
    assert case.result[0].text.splitlines() == [
        "must: /home/run.sh:7:3: it listens on 127.0.0.1:8080",
        "expected: 0.0.0.0:8080 (modelarts_23_0270)",
        "remedy: bind to 0.0.0.0",
    ]


def test_a_weaker_finding_passes_with_its_text_unless_it_counts():
    kinds, case = outcome(TOLERATED)
    assert kinds == []
    assert case.is_passed
    assert case.system_out.startswith("should: CMD: nothing came in 10.3 s")
    assert outcome(TOLERATED, fail_on=Level.SHOULD)[0] == ["Failure"]


def test_an_unjudged_rule_is_an_error_if_it_could_have_broken_the_contract():
    assert outcome(UNKNOWN)[0] == ["Error"]
    kinds, case = outcome(result(TOLERATED.rule, Status.UNKNOWN, why="it did not start"))
    assert kinds == ["Skipped"]
    assert case.result[0].message == "could not be judged: it did not start"


@pytest.mark.parametrize(
    ("one", "why"), [(SKIPPED, "only for batch services"), (ACCEPTED, "accepted: the old engine needs it")]
)
def test_skipped_and_accepted_rules_say_why(one, why):
    kinds, case = outcome(one)
    assert kinds == ["Skipped"]
    assert case.result[0].message == why


def test_what_was_found_is_told_once_wherever_the_case_ended():
    assert "should: USER: it runs as root" in outcome(ACCEPTED)[1].system_out
    assert outcome(FAILED)[1].system_out is None


def test_the_remarks_of_the_report_are_the_output_of_the_suite():
    remark = "<system-out>no scan proves that an image is free of malicious code</system-out>"
    assert remark in render(report(PASSED), Format.JUNIT)
    assert "system-out" not in render(report(PASSED, remarks=()), Format.JUNIT)


def test_a_remark_is_in_the_output_of_a_passed_case():
    kinds, case = outcome(REMARKED)
    assert kinds == []
    assert case.system_out == "info: /home/model/a.pkl: a pickle imports numpy"
    assert outcome(PASSED)[1].system_out is None


def test_text_that_xml_cannot_hold_is_written_out():
    _, case = outcome(result(PORT, Status.FAILED, Finding(message=HOSTILE)))
    assert case.result[0].message.startswith("\\x1b[2J")
    assert "\\x00 ]]> <b>" in case.result[0].text
