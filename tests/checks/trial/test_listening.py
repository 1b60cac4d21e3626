"""Which lines of a container count as held back."""

import pytest

from mooring.checks.trial.listening import Schedule, late_lines

PAUSES = ((10.0, 11.0), (11.0, 12.0), (12.0, 13.0))
TRACEBACK = [15.0] * 14


def asked(calls=240, ending_at=30.0):
    return Schedule(pauses=PAUSES, pressed=(13.0, 20.0), ending_at=ending_at, calls=calls)


PROMPT = [10.1, 11.1, 12.1, *(14.0 + n / 100 for n in range(200))]


def test_a_block_of_lines_after_silence_was_held_back():
    assert len(late_lines({"out": [15.0] * 60, "err": []}, asked())) == 60
    assert len(late_lines({"out": [31.0] * 240, "err": []}, asked())) == 240


def test_a_line_at_once_is_not_late_whatever_comes_later():
    assert late_lines({"out": PROMPT, "err": []}, asked()) == []


@pytest.mark.parametrize("calls", [20, 240])
@pytest.mark.parametrize("out", [PROMPT, []])
def test_one_traceback_on_standard_error_was_not_held_back(out, calls):
    assert late_lines({"out": out, "err": TRACEBACK}, asked(calls)) == []
    assert late_lines({"out": out, "err": [31.0] * 14}, asked(calls)) == []


@pytest.mark.parametrize("at", [15.0, 31.0])
def test_a_silent_stream_beside_one_that_speaks_is_late_when_it_has_a_line_for_most_questions(at):
    assert len(late_lines({"out": [at] * 200, "err": PROMPT}, asked())) == 200
    assert late_lines({"out": [at] * 60, "err": PROMPT}, asked()) == []


def test_nothing_is_late_where_nobody_paused():
    assert late_lines({"out": [15.0] * 60, "err": []}, Schedule(pauses=(), pressed=(13.0, 20.0), calls=60)) == []
