import json
import re
import socket
import urllib.request

import pytest

from mooring.engine import DockerEngine, Expectation, Launch, Started, diagnose, wait_until_healthy
from mooring.engine.sockets import Listener
from mooring.errors import Conflict, NotFound, Unavailable

pytestmark = pytest.mark.engine


@pytest.fixture
def started(engine, test_label):
    """Start a container and remove it after the test."""
    key, _, value = test_label.partition("=")
    containers = []

    def start(image, **wishes):
        launch = Launch(image=image, labels={key: value}, **wishes)
        containers.append(engine.start(launch))
        return containers[-1]

    yield start
    for container in containers:
        engine.remove(container)


@pytest.fixture
def diagnosed(engine, started):
    """Start an image that does not become healthy, and say what Mooring makes of it."""

    def diagnosis(image, *, wait_seconds=2.0, **wishes):
        launch = Launch(image=image, **wishes)
        expectation = Expectation(wait_seconds=wait_seconds, answer_seconds=1)
        facts = wait_until_healthy(engine, Started(started(image, **wishes), launch, engine.image(image), expectation))
        assert facts is not None
        return diagnose(facts)

    return diagnosis


def healthy(engine, container, image):
    started = Started(container, Launch(image=image), engine.image(image), Expectation(wait_seconds=30))
    return wait_until_healthy(engine, started) is None


def test_a_published_container_answers_on_loopback_until_it_is_removed(engine, started, double):
    image = double("keeps_the_contract")
    container = started(image, env={"GREETING": "hello"}, memory_bytes=128 << 20)
    assert healthy(engine, container, image)
    seen = engine.observe(container)
    assert seen.running
    with urllib.request.urlopen(f"http://127.0.0.1:{seen.host_port}/", data=b"{}", timeout=10) as reply:
        assert json.load(reply)["greeting"] == "hello"
    assert engine.listeners(container) == (Listener(8080, "0.0.0.0"),)
    engine.remove(container)
    engine.remove(container)
    with pytest.raises(NotFound):
        engine.observe(container)


@pytest.mark.parametrize(
    ("name", "cause"), [("has_no_health", "health-missing"), ("listens_on_loopback", "listens-on-loopback")]
)
def test_what_waiting_does_not_change_is_not_waited_for_to_the_end(engine, started, double, name, cause):
    image = double(name)
    expectation = Expectation(wait_seconds=600, answer_seconds=1, settled_seconds=1, delay_seconds=2)
    facts = wait_until_healthy(engine, Started(started(image), Launch(image=image), engine.image(image), expectation))
    assert diagnose(facts).cause == cause
    assert facts.waited_seconds >= expectation.delay_seconds


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_a_container_is_asked_to_stop_before_it_is_killed(engine, started, double, signal):
    image = double("keeps_the_contract")
    container = started(image)
    assert healthy(engine, container, image)
    assert engine.stop(container, signals={signal: 10})
    assert engine.observe(container).exit_code == 0
    assert engine.last_lines(container)[-1] == f"stopped by {signal}"


def test_a_container_that_ignores_signals_is_killed_in_the_end(engine, started, double):
    container = started(double("keeps_the_contract", command=("sleep", "600")))
    assert engine.stop(container, signals={"SIGINT": 0.1, "SIGTERM": 0.1})
    assert engine.observe(container).exit_code == 137


def test_an_image_is_told_by_its_labels_command_and_architecture(engine, double):
    image = engine.image(double("exits_at_once", labels={"io.mooring.config": '{"a": "$b \\"c\\""}'}))
    assert image.labels["io.mooring.config"] == '{"a": "$b \\"c\\""}'
    assert image.command == ("python3", "-u", "/double.py")
    assert image.architecture == engine.architecture


def test_an_unknown_image_is_answered_with_the_nearest_names(engine, double):
    near = double("exits_at_once")
    with pytest.raises(NotFound) as error:
        engine.image(near[:-1])
    assert near in error.value.hint


def test_a_port_that_another_program_holds_is_a_conflict_and_leaves_no_container(engine, double, test_label):
    image = double("keeps_the_contract")
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Conflict) as error:
        engine.start(Launch(image=image, host_port=server.getsockname()[1], labels={"io.mooring.test": "port-taken"}))
    assert "--port" in error.value.hint
    assert engine.containers(label="io.mooring.test=port-taken") == ()


def test_a_port_that_another_container_holds_is_a_conflict_that_names_it(engine, started, double):
    image = double("keeps_the_contract")
    holder = engine.observe(started(image))
    with pytest.raises(Conflict, match=re.escape(holder.name)):
        started(image, host_port=holder.host_port)


def test_a_name_that_is_taken_is_a_conflict(engine, started, double):
    image = double("keeps_the_contract")
    name = engine.observe(started(image)).name
    with pytest.raises(Conflict, match=re.escape(name)):
        started(image, name=name)


def test_an_engine_that_does_not_answer_is_named_with_its_address(tmp_path):
    with pytest.raises(Unavailable, match=r"nobody\.sock"):
        DockerEngine.connect({"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"})


@pytest.mark.parametrize(
    ("name", "cause", "seen"),
    [
        ("exits_at_once", "exited", "exit code 3"),
        ("listens_on_loopback", "listens-on-loopback", "127.0.0.1:8080"),
        ("listens_on_8000", "listens-on-another-port", "0.0.0.0:8000"),
        ("never_ready", "health-unavailable", "layer 3 of 900"),
        ("speaks_tls", "speaks-https", "TLS"),
    ],
)
def test_a_misbehaving_image_gets_its_diagnosis(diagnosed, double, name, cause, seen):
    diagnosis = diagnosed(double(name))
    assert diagnosis.cause == cause
    assert seen in diagnosis.seen


def test_the_last_words_of_an_image_that_exits_are_shown(diagnosed, double):
    assert "no weights in /models" in str(diagnosed(double("exits_at_once")))


def test_an_image_that_outgrows_its_memory_is_told_so_and_its_limit(diagnosed, double):
    diagnosis = diagnosed(double("grows_without_end"), wait_seconds=60, memory_bytes=64 << 20)
    assert diagnosis.cause == "out-of-memory"
    assert "64 MiB" in diagnosis.seen


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (("/home/nothing.sh",), "command-missing"),
        (("/bin/sh", "/home/nothing.sh"), "command-missing"),
        (("/double.py",), "command-not-executable"),
        (("python3", "-c", "import torch"), "python-module-missing"),
        (("python3", "-c", "open('/etc/shadow')"), "permission-denied"),
        (("true",), "finished-at-once"),
        (("python3", "-c", "import os; os.abort()"), "crashed"),
        (("sleep", "600"), "listens-nowhere"),
    ],
)
def test_a_wrong_command_gets_its_diagnosis(diagnosed, double, command, cause):
    assert diagnosed(double("exits_at_once", command=command)).cause == cause


def test_an_image_for_another_processor_is_told_so(diagnosed, double):
    # An executable file that is none is what a program for another processor looks like to the kernel.
    program = ("sh", "-c", "printf '\\177ELF\\2\\1\\1\\0' >/tmp/program; chmod +x /tmp/program; exec /tmp/program")
    assert diagnosed(double("exits_at_once", command=program)).cause in ("not-a-program", "wrong-architecture")
