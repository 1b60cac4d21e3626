"""`make demo`, and that the README's first screen shows what it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.engine
@pytest.mark.usefixtures("debian_base")
def test_the_demo_serves_the_example_from_a_process_from_an_image_and_on_a_platform():
    demo = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "demo.py")], capture_output=True, text=True, check=False
    )
    assert demo.returncode == 0, demo.stderr
    assert demo.stdout.count('{"mnist_result": 7}') == 2
    assert demo.stdout.count('200 {"health": "true"}') == 2
    assert demo.stdout.count("hands: every digit right") == 2
    assert " keeps the contract of otc-2022 (real-time): " in demo.stdout
    assert "mooring-demo is running at http://127.0.0.1:" in demo.stdout
    assert "mooring-demo is stopped" in demo.stdout
    assert "mooring-demo-batch: 50 of 50 done; " in demo.stdout
    assert "50 pictures in one batch job: every digit right\n" in demo.stdout
    assert demo.stdout.rstrip().endswith("The process, the image and the platform answered as they should.")
    printed = [masked(line) for line in demo.stdout.splitlines()]
    shown = re.search(r"```console\n\$ make demo\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    for line in shown[1].splitlines():
        assert line == "..." or masked(line) in printed, f"the README shows {line!r}, the demo does not print it"


def test_without_a_container_engine_the_demo_goes_on_to_a_platform_of_processes(tmp_path):
    demo = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "demo.py")],
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    assert "(engine process, edition otc-2022)" in demo.stderr
    assert "mooring-demo is running at http://127.0.0.1:" in demo.stdout
    assert "50 pictures in one batch job: every digit right\n" in demo.stdout
    assert "The image was left out: no Docker or Podman answers here" in demo.stdout
    assert demo.stdout.rstrip().endswith("The process and the platform answered as they should.")


def masked(line):
    """A line without what differs from run to run: ports, image ids, sizes, counts of rules."""
    return re.sub(r"\b\d+ (?:MB|passed|skipped)\b|\b[0-9a-f]{12}\b|(?<=:)\d{4,5}(?=/)|(?<=--port )\d+", "X", line)
