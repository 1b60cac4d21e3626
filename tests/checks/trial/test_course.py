import pytest

from mooring.checks.evidence import NotKnown
from mooring.checks.trial.course import Course


def test_a_stage_is_gone_through_once_and_those_before_it_first():
    done = []
    stages = {name: (name, lambda name=name: done.append(name) or name.upper()) for name in ("one", "two", "three")}
    told = []
    course = Course(stages, doing=told.append)
    assert course["two"] == "TWO"
    assert course["one"] == "ONE"
    assert course["two"] == "TWO"
    assert done == told == ["one", "two"]


def test_a_stage_that_fails_keeps_its_reason_and_holds_up_no_other():
    def fails():
        raise NotKnown("no engine")

    course = Course({"one": ("", fails), "two": ("", lambda: 2)}, doing=lambda _: None)
    assert course["two"] == 2
    for _ in range(2):
        with pytest.raises(NotKnown, match="no engine"):
            course["one"]
