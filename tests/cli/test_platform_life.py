"""A platform that is started, ended and killed, as its users see it."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import httpx
import pytest
from platform_process import PlatformProcess, greeter, servers, until


@pytest.fixture(scope="module")
def first_words():
    """What the platform said when it was started for the first time."""
    return []


@pytest.fixture(scope="module")
def platform(tmp_path_factory, first_words):
    """One that is up and serves two replicas as `hello`; what ends it starts it again."""
    folder = tmp_path_factory.mktemp("platform")
    here = PlatformProcess(folder / "data").start()
    try:
        until(lambda: "  token  " in here.said, "its first user's token was shown")
        first_words.append(here.said)
        here.done("import", greeter(folder / "greeter"))
        here.done("deploy", "greeter", "--name", "hello", "-n", "2")
        yield here
    finally:
        here.close()


def hello(platform):
    return json.loads(platform.done("predict", "hello", "-d", '{"name": "Ann"}'))


def test_the_first_token_is_shown_and_kept_for_its_owner_alone(platform, first_words):
    shown = re.search(r"^  token  (\S+)$", first_words[0], re.MULTILINE)[1]
    assert shown == platform.token
    assert (platform.data / "token").stat().st_mode & 0o777 == 0o600


def test_a_second_platform_on_the_same_data_is_told_who_has_it(platform):
    done = up(platform, "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert str(platform.process.pid) in done.stderr
    assert "Traceback" not in done.stderr
    assert hello(platform)["hello"] == "Ann"


def test_an_address_that_is_taken_and_a_setting_that_is_none_are_said_in_a_line(platform, tmp_path):
    taken = f"cannot listen on {platform.listen}"
    for words, code, complaint in (
        (("--data", str(tmp_path / "other")), 69, taken),
        (("--edition", "otc-1999"), 2, "otc-1999"),
        (("--gate", "open"), 2, "gate is 'open'"),
    ):
        done = up(platform, *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert complaint in done.stderr
        assert len(done.stderr.splitlines()) <= 2


def up(platform, *words):
    return subprocess.run(platform.words(*words), env=platform.environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_replicas_outlive_their_platform_and_are_taken_up_by_the_next(platform, number):
    before = servers(platform.data)
    assert len(before) == 2
    events = platform.told("events", "hello")
    code = platform.end(number)
    if number == signal.SIGTERM:
        assert code == 0
        assert "what it runs goes on" in platform.said
    assert servers(platform.data) == before
    platform.start()
    assert "  token  " not in platform.said
    until(lambda: platform.told("monitor", "hello")["service_running_instance_count"] == 2, "both replicas known")
    assert hello(platform) == {"hello": "Ann", "by": 1}
    assert servers(platform.data) == before
    assert platform.told("events", "hello") == events
    assert platform.told("show", "hello")["status"] == "running"
    assert "greeter 1 is here" in platform.done("logs", "hello")


def test_a_deployment_that_a_kill_cut_off_goes_on_and_nothing_is_doubled(platform, tmp_path):
    before = servers(platform.data)
    platform.done("import", greeter(tmp_path / "late", by=3, setup="time.sleep(1)"))
    waiting = platform.begin("deploy", "late", "-n", "2")
    until(lambda: servers(platform.data) - before, "a replica started")
    platform.end(signal.SIGKILL)
    platform.start()
    _, told = waiting.communicate(timeout=60)
    # The command that waits sees a pause and no more.
    assert waiting.returncode == 0, told
    assert told.splitlines()[-1] == "  service started"
    assert len(servers(platform.data) - before) == 2
    assert json.loads(platform.done("predict", "late", "-d", "{}"))["by"] == 3
    platform.done("delete", "late")


def test_a_replica_that_is_killed_is_back_and_callers_hear_nothing_of_it(platform):
    victim = min(servers(platform.data))
    with calling(platform) as answers:
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(servers(platform.data) - {victim}) == 2, "the dead replica replaced")
        until(lambda: platform.told("show", "hello")["status"] == "running", "the service running")
        until(lambda: len(answers) > 50, "enough calls")
    # One call after the other: the one that the dead replica held, if any, may be lost.
    assert sum(answer != 200 for answer in answers) <= 1


class calling:  # noqa: N801 - reads as what it does
    """Calls to `hello`, one after the other, until the block ends; their statuses."""

    def __init__(self, platform):
        address = platform.told("show", "hello")["access_address"]
        self.answers, self._over = [], threading.Event()
        self._thread = threading.Thread(target=self._call, args=(address, platform.token))

    def _call(self, address, token):
        with httpx.Client(headers={"X-Auth-Token": token}, trust_env=False, timeout=30) as client:
            while not self._over.is_set():
                self.answers.append(client.post(address, json={}).status_code)
                time.sleep(0.005)

    def __enter__(self):
        self._thread.start()
        return self.answers

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
