"""A platform that is killed at whatever moment of a job, again and again: every input has one result, and the same."""

import collections
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from control.works import answers, listed, results_in

SCRIPT = Path(__file__).with_name("jobs_process.py")
INPUTS = 2000
KILLS = 6
PATIENCE_SECONDS = 100


def fill(folder):
    for number in range(INPUTS):
        file = folder / "in" / f"{number % 13}" / f"{number:05}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{'bad' if number % 500 == 250 else 'input'} {number}")


def start(data, database, folder):
    words = [sys.executable, str(SCRIPT), str(data), database, str(folder)]
    # Unbuffered: what is read as a line takes nothing of what comes behind it.
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    if process.stdout.readline().strip() != b"going":
        process.kill()
        raise AssertionError(process.communicate())
    return process


def to_the_end(process):
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert out.split() == [b"finished"], (out, errors[-2000:])


def without_folder(lines, folder):
    """Lines of the list of results, comparable between folders, and with their sources counted."""
    return [{key: value.replace(str(folder), "") for key, value in line.items()} for line in lines]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The output of a job that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    fill(folder)
    process = start(folder / "data", "", folder)
    began = time.monotonic()
    to_the_end(process)
    seconds = time.monotonic() - began
    found = results_in(folder / "out")
    lines = listed(found)
    assert collections.Counter(line["result"] for line in lines) == {"SUCCESSFUL": INPUTS - 4, "FAILED": 4}
    return answers(found), without_folder(lines, folder), seconds


def test_a_killed_platform_loses_no_input_and_doubles_none(database_url, tmp_path, undisturbed):
    expected, lines, seconds = undisturbed
    fill(tmp_path)
    chance = random.Random()  # noqa: S311 - moments, not secrets
    killed = 0
    for _ in range(KILLS):
        process = start(tmp_path / "data", database_url, tmp_path)
        try:
            process.wait(chance.uniform(0.05, seconds / 3))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    process = start(tmp_path / "data", database_url, tmp_path)
    to_the_end(process)
    assert killed >= KILLS - 1
    found = results_in(tmp_path / "out")
    assert answers(found) == expected
    assert without_folder(listed(found), tmp_path) == lines
