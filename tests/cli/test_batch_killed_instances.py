"""Instances that are killed at whatever moment of a job, again and again: every input has its one result."""

import json
import os
import random
import signal
import time

import pytest
from batch_models import pictures, reader, results
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
