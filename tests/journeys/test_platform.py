"""A platform on a container engine, with callers who do not stop calling while things happen to it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time

import httpx
import pytest
from callers_process import calling
from platform_process import MOORING, PlatformProcess, free_port, until

pytestmark = pytest.mark.engine

# The check is tried elsewhere, and takes its time.
SETTINGS = """
gate = "off"

[timings]
resync_seconds = 0.2
probe_seconds = 0.1
drain_seconds = 20
grace_seconds = 10
backoff_seconds = 0.2
database_seconds = 2
"""
CONFIG = {
    "model_algorithm": "reading",
    "model_type": "Image",
    "health": {"url": "/health", "protocol": "http", "check_method": "HTTP"},
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {"Content-type": "application/json", "data": {"type": "object"}},
            "response": {"Content-type": "application/json", "data": {"type": "object"}},
        }
    ],
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory, double):
    """One that serves two containers of the first of two versions as `live`."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    here = PlatformProcess(folder / "data", engine="docker", settings=SETTINGS).start()
    try:
        for version in ("1.0.0", "2.0.0"):
            command = ("env", f"GREETING={version}", "python3", "-u", "/double.py")
            image = double("keeps_the_contract", command=command)
            here.done("import", image, f"reader:{version}", "--config", folder / "config.json")
        here.done("deploy", "reader:1.0.0", "--name", "live", "-n", "2")
        yield here
    finally:
        here.close()


@pytest.fixture
def containers(engine):
    """Give the ids of a service's running containers."""

    def found(platform, service="live"):
        name = rf"mooring\..*\.{platform.told('show', service)['service_id'][:8]}-"
        listed = subprocess.run(
            (engine.program, "ps", "--quiet", "--no-trunc", "--filter", f"name={name}"),
            capture_output=True,
            text=True,
            check=True,
        )
        return set(listed.stdout.split())

    return found


def test_an_upgrade_costs_nobody_a_call(platform, containers):
    before = containers(platform)
    with calling(platform) as seen:
        done = platform.mooring("update", "live", "reader:2.0.0")
    assert done.returncode == 0, done.stderr
    assert seen.failed == []
    assert set(seen.answers) == {"1.0.0", "2.0.0"}
    with calling(platform) as seen:
        until(lambda: len(containers(platform)) == 2 and not containers(platform) & before, "the old ones gone")
    assert (seen.failed, set(seen.answers)) == ([], {"2.0.0"})


def test_a_version_that_does_not_become_ready_costs_nobody_a_call(platform):
    with calling(platform) as seen:
        done = platform.mooring("update", "live", "reader:1.0.0", "-e", "PORT=8099", "--timeout", "3")
    assert done.returncode == 1
    assert "update failed, rolling back" in done.stderr
    assert (seen.failed, set(seen.answers)) == ([], {"2.0.0"})


def test_a_container_that_is_killed_costs_only_the_calls_it_held(platform, containers, engine):
    before = containers(platform)
    victim = min(before)
    with calling(platform) as seen:
        subprocess.run((engine.program, "kill", "--signal", "KILL", victim), capture_output=True, check=True)
        until(lambda: len(containers(platform)) == 2, "the dead one replaced")
        until(lambda: platform.told("show", "live")["status"] == "running", "the service running again")
    # Each call takes 10 ms, and there are 20 callers: those it held, and those that came before it was known.
    assert len(seen.failed) <= 20, seen.failed


def test_a_database_that_is_locked_keeps_no_call_waiting(platform):
    locked = sqlite3.connect(platform.data / "mooring.db", isolation_level=None)
    with calling(platform) as seen:
        locked.execute("BEGIN IMMEDIATE")
        until_then = time.monotonic() + 10
        done = platform.mooring("update", "live", "--description", "later")
        assert done.returncode == 69
        assert platform.told("show", "live")["status"] == "running"
        until(lambda: time.monotonic() > until_then, "ten seconds")
        locked.execute("ROLLBACK")
        locked.close()
        until(lambda: platform.mooring("update", "live", "--description", "now").returncode == 0, "it written")
    assert seen.failed == []


def test_a_platform_killed_while_it_deploys_goes_on_where_it_was(platform, containers):
    before = containers(platform)
    platform.done("deploy", "reader:1.0.0", "--name", "second", "-n", "3", "--detach")
    until(lambda: containers(platform, "second"), "a container started")
    platform.end(signal.SIGKILL)
    platform.start()
    until(lambda: platform.told("show", "second")["status"] == "running", "the deployment done")
    assert len(containers(platform, "second")) == 3
    assert containers(platform) == before
    assert json.loads(platform.done("predict", "live", "-d", '{"text": "x"}'))["mnist_result"] == 7
    platform.done("delete", "second")


def test_two_gateways_serve_on_while_the_platform_is_down(platform, tmp_path):
    token = platform.told("keys", "create", "--kind", "gateway")["secret"]
    service_id = platform.told("show", "live")["service_id"]
    with contextlib.ExitStack() as gateways:
        urls = [gateways.enter_context(gateway(platform, token, tmp_path / f"{name}.json")) for name in ("a", "b")]
        with contextlib.ExitStack() as both:
            seen = [both.enter_context(calling(platform, f"{url}/v1/infers/{service_id}")) for url in urls]
            platform.end(signal.SIGKILL)
            counted = time.monotonic() + 5
            until(lambda: time.monotonic() > counted, "five seconds of calls")
            platform.start()
        assert [one.failed for one in seen] == [[], []]
        # What they counted meanwhile is not lost.
        wanted = sum(one.count for one in seen)
        until(lambda: platform.told("show", "live")["invocation_times"] >= wanted, "their calls counted")


@contextlib.contextmanager
def gateway(platform, token, cache):
    """A gateway in a process of its own; where it is."""
    listen = f"127.0.0.1:{free_port()}"
    words = (*MOORING, "gateway", "--control", platform.url, "--listen", listen, "--cache", str(cache))
    with subprocess.Popen(words, env={**os.environ, "MOORING_GATEWAY_TOKEN": token}) as process:
        try:
            until(lambda: _is_ready(f"http://{listen}/healthz"), "the gateway ready")
            yield f"http://{listen}"
        finally:
            process.terminate()


def _is_ready(url):
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, trust_env=False).is_success
    return False
