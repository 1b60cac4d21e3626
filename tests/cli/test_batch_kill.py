"""Instances and the platform are killed at whatever moment of a job: every input, and row, has its one result."""

import json
import os
import random
import signal
import time

import pytest
from batch_models import greeter, pictures, reader, results
from platform_process import PlatformProcess, servers, until

INPUTS = 2000
KILLS = 8


@pytest.fixture
def platform(tmp_path):
    here = PlatformProcess(tmp_path / "data").start()
    try:
        here.done("import", reader(tmp_path / "reader", predict="time.sleep(0.005)"), "--kind", "batch")
        yield here
    finally:
        here.close()


def test_killed_instances_lose_no_input_and_double_none(platform, tmp_path):
    source = pictures(tmp_path / "in", INPUTS)
    output = tmp_path / "out"
    words = ("--input", source, "--output", output, "--name", "hunted", "--instances", 3, "--detach")
    platform.done("batch", "run", "reader", *words)
    until(lambda: platform.told("batch", "show", "hunted")["batch_progress"]["done"] > 0)
    # No seed is fixed: each run finds other moments.
    chance, killed = random.Random(), 0  # noqa: S311 - moments, not secrets
    while killed < KILLS and platform.told("batch", "show", "hunted")["status"] != "finished":
        time.sleep(chance.uniform(0.1, 0.6))
        for process in chance.sample(sorted(servers(platform.data)), k=1):
            os.kill(process, signal.SIGKILL)
            killed += 1
    until(lambda: platform.told("batch", "show", "hunted")["status"] == "finished", seconds=120)
    assert killed == KILLS
    listed = results(output)
    assert [one["source"] for one in listed] == [one.as_uri() for one in sorted(source.iterdir())]
    assert {one.get("result", "SUCCESSFUL") for one in listed} == {"SUCCESSFUL"}
    kept = {one.name: json.loads(one.read_text()) for one in (output / "infer-result").iterdir()}
    assert kept == {
        f"{number:03}.png_result.txt": {"name": f"{number:03}.png", "bytes": len(text), "text": text}
        for number in range(INPUTS)
        for text in [f"good {number}"]
    }


def test_a_killed_platform_goes_on_with_a_table_where_it_was(platform, tmp_path):
    platform.done("import", greeter(tmp_path / "greeter", predict="time.sleep(0.01)"), "--kind", "batch")
    table = tmp_path / "tables" / "people.csv"
    table.parent.mkdir()
    table.write_text("".join(f"n{number},{number},no\n" for number in range(INPUTS)))
    output = tmp_path / "out"
    words = ("--input", table.parent, "--output", output, "--name", "rows", "--detach")
    platform.done("batch", "run", "greeter", *words)
    for part in (0.2, 0.5):
        until(lambda part=part: _requests(platform) > part * INPUTS, seconds=120)
        platform.end(signal.SIGKILL)
        platform.start()
    until(lambda: platform.told("batch", "show", "rows")["status"] == "finished", seconds=120)
    lines = (output / "infer-result" / "people.csv_result.txt").read_text().splitlines()
    assert [json.loads(line)["next"] for line in lines] == list(range(1, INPUTS + 1))
    logged = platform.done("batch", "logs", "rows", "--tail", 1000000).splitlines()
    # What was answered within the last moments before each kill is asked again, and no more.
    assert INPUTS <= sum(" INFO request " in line for line in logged) < 1.3 * INPUTS


def _requests(platform):
    job = platform.told("batch", "show", "rows")["batch_progress"]
    return job["requests"]
