import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mooring.engine import Launch
from mooring.engine.cage import caged
from mooring.engine.inside import changed_files, file_bytes, handles, memory_bytes
from mooring.engine.interruption import held_back, sigterm_unwinds
from mooring.engine.leftovers import CAGE_LABEL, OWNER_LABEL, remove_leftovers
from mooring.engine.owner import Owner
from mooring.engine.wire import Request, Target, exchange


def words(engine, container, *command):
    made = engine.api.exec_create(container, list(command))
    return engine.api.exec_start(made["Id"]).decode()


def comes(condition):
    """Whether it comes to be so, on a machine however busy."""
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not condition() and time.monotonic() < deadline:
        pause.wait(0.05)
    return condition()


def of_cages(engine):
    """The containers and networks of cages whose owner is this process."""
    mine = f"{OWNER_LABEL}={Owner.me()}"
    return (*engine.containers(label=mine), *(one["Id"] for one in engine.api.networks(filters={"label": mine})))


@pytest.mark.engine
def test_a_caged_container_is_reached_and_reaches_no_other_and_is_removed_with_its_network(engine, double, test_label):
    image = double("keeps_the_contract")
    key, _, value = test_label.partition("=")
    other = engine.start(Launch(image=image, labels={key: value}))
    address = engine.api.inspect_container(other)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    with caged(engine, Launch(image=image)) as cage:
        seen = engine.observe(cage.container)
        target = Target(seen.host, seen.host_port)
        assert comes(lambda: exchange(target, Request("GET", "/health"), timeout_seconds=3).as_answer().ok)
        assert cage.leak == ""
        held = engine.api.inspect_container(cage.container)["HostConfig"]
        assert held["PidsLimit"] > 0
        assert held["CpuShares"] == 512
        trying = textwrap.dedent(f"""
            import socket
            for host, port in ({address!r}, 8080), ("example.com", 80):
                try:
                    socket.create_connection((host, port), 2)
                    print("reached", host)
                except OSError:
                    print("no way")
        """)
        assert words(engine, cage.container, "python3", "-c", trying).split("\n") == ["no way", "no way", ""]
        assert "CapEff:\t0000000000000000" in engine.status(cage.container)
        assert "NoNewPrivs:\t1" in engine.status(cage.container)
    assert of_cages(engine) == ()


@pytest.mark.engine
def test_where_the_network_is_not_ours_to_see_the_container_is_published_and_the_leak_told(engine, double):
    with caged(engine, Launch(image=double("keeps_the_contract")), is_here=lambda _: False) as cage:
        seen = engine.observe(cage.container)
        assert seen.host == "127.0.0.1"
        assert seen.host_port
        assert "could reach other machines" in cage.leak
    assert of_cages(engine) == ()


@pytest.mark.engine
def test_what_a_running_container_uses_handles_and_changes_is_seen(engine, double):
    log = "/var/tmp/a.log"  # noqa: S108 - of the container
    image = double("keeps_the_contract", command=("sh", "-c", f"echo 12345 >{log}; exec python3 -u /double.py"))
    with caged(engine, Launch(image=image)) as cage:
        assert comes(lambda: engine.last_lines(cage.container))
        assert 1 << 20 < memory_bytes(engine, cage.container) < 1 << 30
        assert handles(engine, cage.container, signal.SIGTERM) is True
        assert handles(engine, cage.container, signal.SIGUSR1) is False
        assert log in changed_files(engine, cage.container)
        assert file_bytes(engine, cage.container, log) == 6
        assert file_bytes(engine, cage.container, "/var") is None
        assert file_bytes(engine, cage.container, "/nothing") is None


WATCHER = """
import sys, time
from mooring.engine import DockerEngine, Launch
from mooring.engine.cage import caged
from mooring.engine.interruption import sigterm_unwinds

with DockerEngine.connect() as engine, sigterm_unwinds(), caged(engine, Launch(image=sys.argv[1])) as cage:
    print(cage.container, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def watcher(double):
    """A process that holds a cage, and the id of its container."""
    command = [sys.executable, "-c", WATCHER, double("keeps_the_contract")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


@pytest.mark.engine
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)])
def test_an_interrupted_check_leaves_nothing(engine, watcher, number, code):
    process, container = watcher
    process.send_signal(number)
    assert process.wait(30) == code
    assert container not in engine.containers(label=CAGE_LABEL)


@pytest.mark.engine
def test_what_a_killed_check_left_is_removed_by_the_next_and_what_a_living_one_has_is_not(engine, watcher):
    process, container = watcher
    remove_leftovers(engine)
    assert container in engine.containers(label=CAGE_LABEL)
    process.kill()
    process.wait()
    remove_leftovers(engine)
    assert container not in engine.containers(label=CAGE_LABEL)


def test_a_signal_that_comes_while_something_is_made_waits_until_it_is_made():
    done = []

    def make():
        with held_back():
            signal.raise_signal(signal.SIGINT)
            done.append("made")

    with pytest.raises(KeyboardInterrupt):
        make()
    assert done == ["made"]


def test_sigterm_unwinds_like_an_exception():
    with pytest.raises(SystemExit) as ended, sigterm_unwinds():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
