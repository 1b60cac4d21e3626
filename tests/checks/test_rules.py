"""Every rule there is: it explains itself, and does to its own examples what it says."""

import contextlib
import re

import pytest

from mooring.checks import Evidence, Kind, Status, Subject, Wish
from mooring.checks.case import Case, _Suppliers
from mooring.checks.rule import catalogue
from mooring.checks.run import judged
from mooring.contract import Level, edition

RULES = catalogue()


def evidence(example):
    """What the example hands in, and what follows from it."""
    given = {"edition": edition(), "wish": Wish(kind=Kind.BOTH), **example.evidence}
    suppliers = {name: (lambda value=value: value) for name, value in given.items()}
    if "image" in given:
        suppliers.setdefault("image_config", lambda: given["image"].config)
        suppliers.setdefault("files", given["image"].read)
    if "config" in given:
        suppliers.setdefault("config_findings", lambda: given["config"].check(given["edition"]))
    return Evidence(suppliers), given["wish"]


def result_of(rule, example):
    return judged(rule, *evidence(example))


def cases(which):
    return [
        pytest.param(rule, example, id=f"{rule.id}-{number}")
        for rule in RULES
        for number, example in enumerate(getattr(rule, which))
    ]


@pytest.mark.parametrize(("rule", "example"), cases("good"))
def test_a_good_example_passes(rule, example):
    result = result_of(rule, example)
    assert result.status in {Status.PASSED, Status.SKIPPED}, (result.why, result.findings)


@pytest.mark.parametrize(("rule", "example"), cases("bad"))
def test_a_bad_example_is_caught_and_told_what_to_do(rule, example):
    result = result_of(rule, example)
    if rule.level is Level.INFO:
        assert result.status is Status.PASSED, result.why
        assert result.findings, "nothing was remarked"
    else:
        assert result.status is Status.FAILED, result.why
        assert result.findings[0].level in {Level.MUST, Level.SHOULD}
    for finding in result.findings:
        assert finding.message.strip()
        assert finding.hint.strip() or rule.remedy.strip()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_explains_itself(rule):
    assert re.fullmatch(r"[A-Z]{2,6}-[A-Z0-9]{2,10}-\d\d", rule.id)
    assert rule.title
    assert "\n" not in rule.title
    assert not rule.title.endswith(".")
    assert rule.why
    assert rule.remedy
    assert all(example.shown.strip() for example in (*rule.good, *rule.bad))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_has_an_example_it_passes_and_one_it_fails(rule):
    assert rule.bad
    assert any(result_of(rule, example).status is Status.PASSED for example in rule.good)


def test_a_rule_asks_for_evidence_that_a_check_supplies():
    # A name that nobody supplies would skip the rule for ever, and nobody would notice.
    case = Case(subject=Subject(name="mnist:1", kind="engine"), edition=edition(), wish=Wish())
    supplied = set(_Suppliers(case, contextlib.ExitStack()).by_name())
    strange = {rule.id: sorted(set(rule.needs) - supplied) for rule in RULES}
    assert not any(strange.values()), {name: missing for name, missing in strange.items() if missing}


def test_no_two_rules_share_an_id():
    names = [rule.id for rule in RULES]
    assert names == sorted(set(names))
    assert len(names) > 20
