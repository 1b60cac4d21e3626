"""What the results of a check add up to, and what `--fail-on` changes of it."""

import pytest

from mooring.checks import Report, Result, Rule, Status, Subject, Verdict, Wish
from mooring.contract import Finding, Level

MUST, SHOULD, INFO = Level


def nothing():
    yield from ()


def result(status, *levels, level=MUST):
    rule = Rule(id="IMG-TEST-01", title="It is so", why="Because", remedy="Do it", level=level, judge=nothing)
    findings = tuple(Finding(message="it is not so", level=each) for each in levels)
    return Result(rule=rule, level=level, status=status, findings=findings)


def verdict(*results, fail_on):
    subject = Subject(name="mnist:1", kind="engine")
    return Report(subject=subject, edition="otc-2022", wish=Wish(fail_on=fail_on), results=results).verdict


@pytest.mark.parametrize("fail_on", [MUST, SHOULD])
@pytest.mark.parametrize("status", [Status.PASSED, Status.SKIPPED])
def test_what_passed_or_does_not_apply_keeps_the_contract(status, fail_on):
    assert verdict(result(status), fail_on=fail_on) is Verdict.KEEPS


@pytest.mark.parametrize("fail_on", [MUST, SHOULD])
def test_a_must_breaks_the_contract_whatever_is_asked(fail_on):
    assert verdict(result(Status.PASSED), result(Status.FAILED, MUST), fail_on=fail_on) is Verdict.BREAKS


def test_a_should_breaks_it_only_for_who_asks():
    found = result(Status.FAILED, SHOULD, level=SHOULD)
    assert verdict(found, fail_on=MUST) is Verdict.KEEPS
    assert verdict(found, fail_on=SHOULD) is Verdict.BREAKS


def test_a_should_of_a_rule_that_could_say_must_weighs_as_a_should():
    found = result(Status.FAILED, SHOULD, level=MUST)
    assert verdict(found, fail_on=MUST) is Verdict.KEEPS
    assert verdict(found, fail_on=SHOULD) is Verdict.BREAKS


@pytest.mark.parametrize("fail_on", [MUST, SHOULD])
def test_a_remark_never_breaks_it(fail_on):
    assert verdict(result(Status.PASSED, INFO), fail_on=fail_on) is Verdict.KEEPS


@pytest.mark.parametrize("fail_on", [MUST, SHOULD])
def test_what_is_accepted_does_not_break_it(fail_on):
    assert verdict(result(Status.ACCEPTED, MUST, SHOULD), fail_on=fail_on) is Verdict.KEEPS


@pytest.mark.parametrize("fail_on", [MUST, SHOULD])
def test_what_could_have_broken_it_and_was_not_judged_is_never_passed(fail_on):
    assert verdict(result(Status.PASSED), result(Status.UNKNOWN), fail_on=fail_on) is Verdict.INCOMPLETE


def test_an_unjudged_should_counts_only_for_who_asks():
    unknown = result(Status.UNKNOWN, level=SHOULD)
    assert verdict(unknown, fail_on=MUST) is Verdict.KEEPS
    assert verdict(unknown, fail_on=SHOULD) is Verdict.INCOMPLETE


def test_a_breach_outweighs_what_was_not_judged():
    assert verdict(result(Status.UNKNOWN), result(Status.FAILED, MUST), fail_on=MUST) is Verdict.BREAKS
