"""Starts the server as the image does and asks it what a platform would: pytest tests"""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SERVER = Path(__file__).parent.parent / "server.py"


@pytest.fixture
def server():
    environment = {**os.environ, "PORT": "0", "LINGER_SECONDS": "2"}
    with subprocess.Popen(
        [sys.executable, "-u", str(SERVER)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        process.port = int(re.search(r"port (\d+)", process.stdout.readline())[1])
        # Nobody reads on: a pipe that fills up would stop the server.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        deadline = time.monotonic() + 10
        while ask(process, "GET", "/health")[0] != 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        yield process
        process.kill()


def ask(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.getheader("Connection")
    finally:
        connection.close()


def test_a_healthy_server_says_so(server):
    assert ask(server, "GET", "/health")[:2] == (200, {"health": "true"})


@pytest.mark.parametrize(
    ("wind", "beaufort", "name"),
    [
        (0, 0, "calm"),
        (0.3, 1, "light air"),
        (12.3, 6, "strong breeze"),
        (32.6, 11, "violent storm"),
        (60, 12, "hurricane force"),
    ],
)
def test_a_wind_has_its_number_on_the_scale(server, wind, beaufort, name):
    answer = ask(server, "POST", "/", json.dumps({"wind": wind}))
    assert answer[:2] == (200, {"beaufort": beaufort, "name": name})


@pytest.mark.parametrize(
    "body", ["{", "[]", "{}", '{"wind": "strong"}', '{"wind": -1}', '{"wind": true}', '{"wind": NaN}']
)
def test_a_request_that_makes_no_sense_is_a_400_that_says_why(server, body):
    status, said, _ = ask(server, "POST", "/", body)
    assert status == 400
    assert said["error_msg"]


def test_unknown_paths_and_methods_are_told_apart(server):
    assert ask(server, "POST", "/nothing", "{}")[0] == 404
    assert ask(server, "GET", "/")[0] == 405


def test_a_body_over_the_limit_is_refused_before_it_is_sent(server):
    status, said, _ = ask(server, "POST", "/", headers={"Content-Length": str(13 * 1024 * 1024)})
    assert status == 413
    assert "12582912" in said["error_msg"]


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/", body='{"wind": 1}')
        assert connection.getresponse().read()
    connection.close()


def test_after_sigterm_it_goes_on_answering_and_then_exits_with_0(server):
    server.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 5
    closing = None
    while closing != "close" and time.monotonic() < deadline:
        status, _, closing = ask(server, "POST", "/", '{"wind": 1}')
        assert status == 200
    assert closing == "close"
    assert server.wait(timeout=10) == 0
