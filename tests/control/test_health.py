from __future__ import annotations

from mooring.control.health import Check, Health, Kind, after, asked, condition
from mooring.control.world import Condition

V1 = {Kind.HEALTH: Check(failure_threshold=3)}
THREE = {kind: Check(failure_threshold=2) for kind in Kind}


def told(checks, words: str, health: Health | None = None, kind: Kind = Kind.HEALTH) -> Health:
    """What is known after good (`+`) and bad (`-`) answers of one probe."""
    health = health or Health()
    for second, word in enumerate(words):
        health = after(health, kind, checks, ok=word == "+", now_ms=second * 1000)
    return health


def test_one_good_answer_makes_a_replica_ready():
    assert condition(Health(), V1) is Condition.STARTING
    assert condition(told(V1, "--+"), V1) is Condition.READY
    assert told(V1, "--+").since_ms == 2000


def test_too_many_failures_before_it_was_ready_are_a_refusal():
    assert condition(told(V1, "--"), V1) is Condition.STARTING
    assert condition(told(V1, "---"), V1) is Condition.REFUSED


def test_too_many_failures_in_a_row_make_it_failing_and_one_good_answer_makes_it_well():
    assert condition(told(V1, "+--+--"), V1) is Condition.READY
    assert condition(told(V1, "+---"), V1) is Condition.FAILING
    assert condition(told(V1, "+---+"), V1) is Condition.READY


def test_a_replica_that_was_ready_before_a_restart_of_the_platform_still_is_until_it_fails():
    health = Health.of_one_that_was_ready(5, THREE)
    assert condition(health, THREE) is Condition.READY
    assert asked(health, THREE) == (Kind.READINESS, Kind.HEALTH)
    assert condition(told(THREE, "--", health, Kind.READINESS), THREE) is Condition.FAILING


def test_nothing_else_is_asked_until_the_startup_probe_has_succeeded():
    assert asked(Health(), THREE) == (Kind.STARTUP,)
    health = told(THREE, "+", kind=Kind.STARTUP)
    assert asked(health, THREE) == (Kind.READINESS, Kind.HEALTH)
    assert condition(health, THREE) is Condition.STARTING


def test_with_a_readiness_probe_the_health_probe_is_for_restarting():
    well = told(THREE, "+", told(THREE, "+", told(THREE, "+", kind=Kind.STARTUP), Kind.READINESS))
    assert condition(well, THREE) is Condition.READY
    assert condition(told(THREE, "--", well, Kind.READINESS), THREE) is Condition.FAILING
    assert condition(told(THREE, "--", well, Kind.HEALTH), THREE) is Condition.DEAD


def test_a_replica_that_is_not_probed_is_ready_once_it_runs():
    assert condition(Health(since_ms=0), {}) is Condition.READY
