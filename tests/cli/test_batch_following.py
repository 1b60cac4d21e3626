"""How far a job is, as the one who waits for it reads it."""

import os
import pty
import re

import pytest

from mooring.cli import batch_following
from mooring.cli.batch_following import Bar, progress_line, time_left

JOB = {"total": 2000, "done": 1200, "failed": 0, "requests": 1200, "per_second": 0.0}


@pytest.mark.parametrize(
    ("job", "line"),
    [
        (JOB, "1,200 of 2,000 done"),
        (JOB | {"failed": 3, "requests": 1203}, "1,200 of 2,000 done, 3 failed"),
        (
            JOB | {"per_second": 240.4, "seconds_left": 3},
            "1,200 of 2,000 done, 240 requests a second, 3 s left",
        ),
        (JOB | {"total": 2, "done": 1, "requests": 50_000}, "1 of 2 done, 50,000 rows asked"),
        (JOB | {"per_second": 240.4, "seconds_left": 0, "finished_at": 1}, "1,200 of 2,000 done"),
    ],
)
def test_a_line_says_what_is_known(job, line):
    assert progress_line(job) == line


@pytest.mark.parametrize(("seconds", "told"), [(0, "0 s"), (119, "119 s"), (180, "3 min"), (7500, "2 h 5 min")])
def test_the_time_left_is_told_no_more_exactly_than_it_is_known(seconds, told):
    assert time_left(seconds) == told


def test_without_a_terminal_lines_come_now_and_then_and_never_twice(capsys, monkeypatch):
    monkeypatch.setattr(batch_following, "LINE_SECONDS", 0.0)
    with Bar("nightly") as bar:
        for job in (JOB | {"total": 0}, JOB, JOB, JOB | {"done": 1300}):
            bar.show(job)
    monkeypatch.setattr(batch_following, "LINE_SECONDS", 60.0)
    with Bar("nightly") as bar:
        bar.show(JOB)
    assert capsys.readouterr().err == "  1,200 of 2,000 done\n  1,300 of 2,000 done\n"


def test_at_a_terminal_there_is_a_bar_that_goes_when_it_is_over(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        with Bar("night\x1b[2Jly") as bar:
            bar.show(JOB | {"per_second": 240.4, "seconds_left": 3})
        terminal.flush()
        shown = ""
        # It ends by clearing its line.
        while not re.search(r"\x1b\[2K\s*$", shown):
            shown += os.read(ours, 65536).decode()
    os.close(ours)
    assert "1,200 of 2,000 done, 240 requests a second, 3 s left" in shown
    assert "\x1b[2J" not in shown
