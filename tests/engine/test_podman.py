"""With Podman, which answers on Docker's API and does many things its own way; one of its own, away from the user's."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from mooring.engine import DockerEngine, Expectation, Launch, Started, caged, diagnose, wait_until_healthy
from mooring.engine.inside import handles, memory_bytes
from mooring.engine.leftovers import CAGE_LABEL, remove_leftovers
from mooring.errors import Conflict, Unavailable

pytestmark = pytest.mark.engine
START_SECONDS = 30
# It may run where it lacks the right to raise its limits: these are below what such a place allows.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[network]
network_config_dir = "{folder}/networks"
[engine]
runtime = "{runtime}"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
"""
TEXT = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 1000}}}
RESULT = {"type": "object", "properties": {"mnist_result": {"type": "integer"}}, "required": ["mnist_result"]}
CONFIG = {
    "model_algorithm": "reading",
    "model_type": "Image",
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {"Content-type": "application/json", "data": TEXT},
            "response": {"Content-type": "application/json", "data": RESULT},
        }
    ],
    "health": {"url": "/health", "protocol": "http", "initial_delay_seconds": "12", "timeout_seconds": "3"},
}
WATCHER = """
import sys, time
from mooring.engine import DockerEngine, Launch, caged, sigterm_unwinds

with DockerEngine.connect() as engine, sigterm_unwinds(), caged(engine, Launch(image=sys.argv[1])) as cage:
    print(cage.container, flush=True)
    time.sleep(60)
"""


def comes(condition):
    """Whether it comes to be so, on a machine however busy."""
    deadline, pause = time.monotonic() + START_SECONDS, threading.Event()
    while not condition() and time.monotonic() < deadline:
        pause.wait(0.05)
    return condition()


def need(condition, reason):
    if not condition:
        pytest.skip(f"no Podman: {reason}")


@pytest.fixture(scope="module")
def podman():
    """An engine of our own on Podman, with images, networks and locks of its own."""
    need(os.getuid() == 0, "one of our own is only started as root")
    need(shutil.which("podman"), "it is not installed")
    runtime = next(filter(shutil.which, ("crun", "runc")), "")
    need(runtime, "neither crun nor runc is installed")
    # Its paths must be short, and those below pytest's folder are not.
    folder = Path(tempfile.mkdtemp(prefix="mooring-podman-", dir="/tmp"))
    configuration, socket = folder / "containers.conf", folder / "podman.sock"
    configuration.write_text(CONFIGURATION.format(folder=folder, runtime=runtime))
    command = ["podman", "--root", folder / "root", "--runroot", folder / "run", "--tmpdir", folder / "tmp"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "system", "service", "--time", "0", f"unix://{socket}"],
            env={**os.environ, "CONTAINERS_CONF": str(configuration)},
            stdout=log,
            stderr=log,
        )
    try:
        started = comes(lambda: answers(socket) or process.poll() is not None) and process.poll() is None
        need(started, (folder / "log").read_text()[-500:])
        with DockerEngine.connect({"DOCKER_HOST": f"unix://{socket}"}) as engine:
            yield engine
            for container in engine.containers():
                engine.remove(container)
    finally:
        process.terminate()
        process.wait(30)
        # It mounts the folder of its images over itself.
        subprocess.run(["umount", folder / "root" / "overlay"], capture_output=True, check=False)
        shutil.rmtree(folder)


def answers(socket):
    with contextlib.suppress(Unavailable), DockerEngine.connect({"DOCKER_HOST": f"unix://{socket}"}):
        return True
    return False


@pytest.fixture(scope="module")
def image(engine, double, podman):
    """An image that keeps the contract, moved over from the other engine."""
    name = double("keeps_the_contract", labels={"io.mooring.config": json.dumps(CONFIG)})
    with contextlib.closing(engine.export(name)) as archive:
        podman.load(archive)
    return name


def of_checks(podman):
    """The containers and networks of checks."""
    return (*podman.containers(label=CAGE_LABEL), *podman.api.networks(filters={"label": CAGE_LABEL}))


def test_an_image_is_judged_by_all_rules_that_judge_it_with_docker(podman, image, mooring):
    done = mooring("check", image, "--format", "json", DOCKER_HOST=podman.address.url)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)["results"]
    assert not {one["rule"]: one["why"] for one in results if one["status"] == "unknown"}
    passed = {one["rule"] for one in results if one["status"] == "passed"}
    ran = ("RUN-START-01", "RUN-HEALTH-01", "RUN-API-01", "RUN-LOG-01", "RUN-LOG-03", "RUN-MEM-01", "RUN-TERM-01")
    assert passed.issuperset(ran)
    assert of_checks(podman) == ()


def test_a_container_that_says_nothing_and_heeds_nothing_is_seen_at_once_and_removed_at_once(podman, image):
    began = time.monotonic()
    with caged(podman, Launch(image=image, entrypoint=("sleep",), command=("100",))) as cage:
        logs = podman.follow(cage.container)
        assert 10_000 < memory_bytes(podman, cage.container) < 100 << 20
        assert handles(podman, cage.container, signal.SIGTERM) is False
        logs.close()
    assert time.monotonic() - began < 20
    assert of_checks(podman) == ()


def test_a_command_that_is_not_there_is_the_images_fault(podman, image):
    launch = Launch(image=image, entrypoint=("/no/such/program",))
    with caged(podman, launch) as cage:
        started = Started(cage.container, launch, podman.image(image), Expectation(wait_seconds=5))
        diagnosis = diagnose(wait_until_healthy(podman, started))
    assert diagnosis.cause == "command-missing"
    assert diagnosis.seen == "exit code 127: /no/such/program is not in the image"


def test_a_name_and_a_port_that_are_taken_are_conflicts(podman, image):
    holder = podman.start(Launch(image=image, name="holder"))
    try:
        with pytest.raises(Conflict):
            podman.start(Launch(image=image, name="holder"))
        with pytest.raises(Conflict, match="container holder"):
            podman.start(Launch(image=image, host_port=podman.observe(holder).host_port))
        assert podman.containers() == (holder,)
    finally:
        podman.remove(holder)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_interrupted_check_leaves_nothing_and_a_killed_one_nothing_for_long(podman, image, number, code):
    environ = {**os.environ, "DOCKER_HOST": podman.address.url}
    command = [sys.executable, "-c", WATCHER, image]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline()
        process.send_signal(number)
        assert process.wait(30) == code
    if number == signal.SIGKILL:
        assert of_checks(podman)
        remove_leftovers(podman)
    assert of_checks(podman) == ()
