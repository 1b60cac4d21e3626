"""A platform on PostgreSQL: the database goes away and comes back, and so does the platform."""

import json
import signal
import subprocess
import time

import pytest
from callers_process import calling
from platform_process import SETTINGS, PlatformProcess, greeter, servers, until

AWAY_SECONDS = 10


@pytest.fixture
def platform(tmp_path, postgresql_server):
    """One that serves `live` in two processes."""
    with postgresql_server.database() as url:
        here = PlatformProcess(tmp_path / "data", settings=f"{SETTINGS}database_seconds = 1\n", database=url).start()
        try:
            here.done("import", greeter(tmp_path / "greeter"))
            here.done("deploy", "greeter", "--name", "live", "-n", "2")
            yield here
        finally:
            here.close()


def test_calls_go_on_while_the_database_is_gone_and_wishes_when_it_is_back(platform, postgresql_server):
    before = servers(platform.data)
    with calling(platform) as seen:
        postgresql_server.stop()
        over = time.monotonic() + AWAY_SECONDS
        try:
            refused = platform.mooring("update", "live", "-n", "3")
            assert refused.returncode == 69, refused.stderr
            until(lambda: time.monotonic() > over, "the time over")
        finally:
            postgresql_server.start()
        until(lambda: platform.mooring("update", "live", "-n", "3").returncode == 0, "the wish come true")
    assert seen.failed == []
    assert len(servers(platform.data)) == 3
    # It moved nothing that was there, and what was counted meanwhile is counted.
    assert before < servers(platform.data)
    until(lambda: platform.told("show", "live")["invocation_times"] >= seen.count, "the calls counted")


def test_a_second_platform_on_the_same_database_is_told_who_has_it(platform, tmp_path):
    words = platform.words("--data", str(tmp_path / "other"), "--listen", "127.0.0.1:0")
    done = subprocess.run(words, env=platform.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(platform.process.pid) in done.stderr
    platform.end(signal.SIGKILL)
    platform.start()
    assert json.loads(platform.done("predict", "live", "-d", "{}"))["by"] == 1
