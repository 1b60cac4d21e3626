import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "with_engine.py"
TELL = "import os; print(os.environ.get('DOCKER_HOST'), os.environ.get('MOORING_TEST_ENGINE_MISSING'))"
# The two rights dockerd needs, as bits of a process's capabilities (capability.h).
NET_ADMIN, SYS_ADMIN = 12, 21


def may_start_an_engine():
    """Whether this machine lets us do what with_engine.py does when no engine answers, without installing anything."""
    status = Path("/proc/self/status")
    if os.getuid() != 0 or not status.exists() or not all(map(shutil.which, ("dockerd", "docker", "ip", "apt-get"))):
        return False
    line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
    rights = int(line.split()[1], 16)
    return bool(rights >> NET_ADMIN & 1 and rights >> SYS_ADMIN & 1)


def with_engine(*command, **environ):
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *command],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.engine
def test_an_engine_that_answers_is_handed_on_with_the_exit_code(engine):
    process = with_engine(sys.executable, "-c", f"{TELL}; raise SystemExit(7)")
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 7
    assert out.split() == [engine.address.url, "None"]


def test_where_none_can_be_the_command_runs_and_is_told_why(tmp_path):
    nothing = {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock", "PATH": str(tmp_path)}
    process = with_engine(sys.executable, "-c", TELL, **nothing)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "nobody.sock" in out
    assert "only " in out
    assert "nobody.sock" in error


@pytest.mark.engine
@pytest.mark.parametrize("known", [True, False] if os.getuid() == 0 else [])
def test_what_makes_base_images_is_installed_when_it_is_missing(tmp_path, known):
    asked = tmp_path / "asked"
    programs = {"apt-get": f'echo "$*" >>{asked}', "apt-cache": "echo Candidate: 1" if known else ":", "postgres": ":"}
    for program, script in programs.items():
        (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / program).chmod(0o755)
    process = with_engine(sys.executable, "-c", TELL, PATH=str(tmp_path))
    _, error = process.communicate(timeout=60)
    assert process.returncode == 0
    install = "-qq install --yes --no-install-recommends mmdebstrap"
    assert asked.read_text().splitlines() == ([install] if known else ["-qq update", install])
    assert "apt-get install" in error


@pytest.fixture
def own_engine(tmp_path):
    """Commands under an engine of their own, in a cache of their own, while no other engine is to be found."""
    made = []

    def start(*command):
        nowhere = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
        made.append(with_engine(*command, **nowhere))
        return made[-1]

    yield start
    for process in made:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=120)


def dockerds(cache):
    """The processes of engines in this cache."""
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = command.read_bytes()
        except OSError:
            continue
        if words.startswith(b"dockerd") and str(cache).encode() in words:
            found.append(command)
    return found


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGTERM] if may_start_an_engine() else [])
def test_two_commands_share_an_engine_that_ends_with_the_last(own_engine, tmp_path, number):
    wait = "docker version --format '{{.Server.Os}}' && touch $0 && exec sleep 60"
    first = own_engine("sh", "-c", wait, str(tmp_path / "first"))
    second = own_engine("sh", "-c", wait, str(tmp_path / "second"))
    deadline = time.monotonic() + 90
    while not ((tmp_path / "first").exists() and (tmp_path / "second").exists()):
        assert time.monotonic() < deadline
        assert (first.poll(), second.poll()) == (None, None)
        time.sleep(0.1)
    assert len(dockerds(tmp_path)) == 1
    first.send_signal(number)
    assert first.wait(timeout=60) == 128 + number
    assert len(dockerds(tmp_path)) == 1
    second.send_signal(number)
    assert second.wait(timeout=60) == 128 + number
    assert dockerds(tmp_path) == []


@pytest.mark.engine
@pytest.mark.parametrize("broken", ["--no-such-option"] if may_start_an_engine() else [])
def test_an_engine_that_does_not_start_is_quoted(own_engine, tmp_path, monkeypatch, broken):
    program = tmp_path / "bin" / "dockerd"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec {shutil.which('dockerd')} {broken}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    out, error = own_engine(sys.executable, "-c", TELL).communicate(timeout=60)
    assert "dockerd ended with" in out
    assert broken in error
