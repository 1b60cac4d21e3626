import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest

from mooring.cli.curl import curl
from mooring.cli.running import pairs, size
from mooring.contract import ModelConfig
from mooring.errors import Invalid, NotFound

MNIST = {
    "model_algorithm": "image_classification",
    "model_type": "Image",
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {
                "Content-type": "multipart/form-data",
                "data": {
                    "type": "object",
                    "properties": {"images": {"type": "file"}, "note": {"type": "string", "enum": ["it's a 7"]}},
                },
            },
            "response": {"Content-type": "application/json", "data": {}},
        },
        {
            "protocol": "http",
            "url": "/text",
            "method": "POST",
            "request": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"n": {"type": "integer", "const": 3}}, "required": ["n"]},
            },
            "response": {"Content-type": "application/json", "data": {}},
        },
    ],
}
LABELS = {"io.mooring.config": json.dumps(MNIST), "io.mooring.edition": "otc-2022"}


class Running:
    """`mooring run` as a process, with all its lines as they come."""

    def __init__(self, image, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mooring.cli", "run", image, "--port", "0", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
        self.process.stdout.close()

    def until(self, words):
        deadline = time.monotonic() + 60
        while not any(words in line for line in self.lines):
            assert self.thread.is_alive(), self.lines
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.02)
        return next(line for line in self.lines if words in line)

    def end(self, number):
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        code = self.process.wait(timeout=60)
        self.thread.join()
        return code


@pytest.fixture
def running(test_label):
    made = []

    def start(image, *words):
        made.append(Running(image, "--label", test_label, *words))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.ended()


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_healthy_image_is_announced_with_its_curl_lines_followed_and_stopped(engine, running, double, number):
    name = f"run-{uuid.uuid4().hex[:8]}"
    run = running(double("keeps_the_contract", labels=LABELS), "--name", name)
    run.until("Ctrl-C")
    ready = run.until("ready in ")
    assert ready.endswith(" s")
    curl_line = run.until("images=@FILE")
    base = curl_line.split()[3]
    asked = subprocess.run(
        ["curl", "-sS", "-X", "POST", f"{base}text", "-d", "{}"], capture_output=True, text=True, check=False
    )
    assert "mnist_result" in asked.stdout, asked.stderr
    run.until('"POST /text HTTP/1.1" 200')
    assert run.end(number) == 0
    assert f"stopped by {number.name}" in run.lines
    assert ("the container ended, with exit code 0" in run.lines) is (number == signal.SIGTERM)
    with pytest.raises(NotFound):
        engine.observe(name)


@pytest.mark.engine
def test_a_detached_container_stays_and_how_to_stop_it_is_said(engine, mooring, double, test_label):
    done = mooring(
        "run", double("keeps_the_contract"), "-d", "--port", "0", "--label", test_label, "-e", "GREETING=moin"
    )
    assert done.returncode == 0, done.stderr
    name = next(line for line in done.stdout.splitlines() if line.startswith("running as ")).split()[-1]
    assert f"rm -f {name}" in done.stdout
    seen = engine.observe(name)
    assert seen.running
    url = f"http://127.0.0.1:{seen.host_port}/"
    assert json.loads(mooring("predict", url, "-d", "{}").stdout)["greeting"] == "moin"
    engine.remove(name)


@pytest.mark.engine
@pytest.mark.parametrize(
    "case",
    [
        ("exits_at_once", [], ["exit code 3", "  | no weights in /models", "do next:"]),
        ("listens_on_loopback", ["--timeout", "1.5"], ["127.0.0.1:8080 only", "0.0.0.0:8080"]),
        ("never_ready", ["--timeout", "1.5"], ["not ready: health answers 503", "layer 3 of 900"]),
        ("grows_without_end", ["--memory", "64m"], ["137", "64 MiB", "--memory"]),
    ],
)
def test_an_unhealthy_image_is_explained_and_its_container_removed(engine, mooring, double, case):
    name, words, told = case
    container = f"run-{uuid.uuid4().hex[:8]}"
    done = mooring("run", double(name), "--port", "0", "--name", container, *words)
    assert done.returncode == 1
    for part in told:
        assert part in done.stderr
    with pytest.raises(NotFound):
        engine.observe(container)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("failure", "told"),
    [
        ("ModuleNotFoundError: No module named 'numpy'", ["python-module-missing", "requirements.txt and build again"]),
        ("ValueError: weights.bin ends in the middle", ["loading-failed", "weights.bin ends in the middle"]),
    ],
)
def test_a_model_that_keeps_failing_to_load_is_given_up_early_and_told_once(mooring, double, failure, told):
    began = time.monotonic()
    done = mooring("run", double("cannot_load"), "--port", "0", "-e", f"FAILURE={failure}")
    assert time.monotonic() - began < 30, "the full time is 60 s"
    assert done.returncode == 1
    for part in told:
        assert part in done.stderr
    assert done.stderr.count("not ready") == 1
    assert f"not ready: health answers 503: loading failed: {failure}" in done.stderr


@pytest.mark.engine
def test_a_container_that_ends_by_itself_later_is_reported(running, double, engine):
    name = f"run-{uuid.uuid4().hex[:8]}"
    run = running(double("keeps_the_contract"), "--name", name)
    run.until("Ctrl-C")
    engine.stop(name, signals={"SIGKILL": 10})
    assert run.ended() == 1
    assert any("the container ended, with exit code 137" in line for line in run.lines)


@pytest.mark.engine
def test_an_image_nobody_has_is_answered_with_near_names(mooring, double):
    near = double("exits_at_once")
    done = mooring("run", f"{near}x")
    assert done.returncode == 2
    assert near in done.stderr
    assert "pull" in done.stderr


@pytest.mark.engine
def test_a_taken_port_is_a_conflict_with_a_way_out(mooring, double):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = mooring("run", double("keeps_the_contract"), "--port", port)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr


def test_without_an_engine_the_exit_code_says_try_again(mooring, tmp_path):
    done = mooring("run", "mnist:1", DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert done.returncode == 69
    assert "nobody.sock" in done.stderr
    assert "Traceback" not in done.stderr


def test_curl_lines_survive_a_shell_and_hold_an_example_of_each_field():
    form, body = (curl(api, "http://127.0.0.1:8080") for api in ModelConfig.parse(json.dumps(MNIST).encode()).apis)
    assert form == """curl -X POST http://127.0.0.1:8080/ -F images=@FILE -F 'note=it'"'"'s a 7'"""
    assert body == "curl -X POST http://127.0.0.1:8080/text -H 'Content-Type: application/json' -d '{\"n\": 3}'"


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("512", 512), ("64k", 65536), ("512m", 512 << 20), ("1.5 GB", 3 << 29), ("2Gi", 2 << 30)],
)
def test_memory_is_read_as_engines_read_it(text, count):
    assert size(text) == count


@pytest.mark.parametrize("text", ["much", "2 apples", "-1g", "g"])
def test_memory_that_is_no_size_is_refused(text):
    with pytest.raises(Invalid):
        size(text)


def test_a_variable_may_hold_equal_signs_and_must_have_a_name():
    assert pairs(["A=b=c", "EMPTY="], "--env") == {"A": "b=c", "EMPTY": ""}
    with pytest.raises(Invalid, match="--env"):
        pairs(["=x"], "--env")


@pytest.mark.engine
def test_an_image_without_a_start_command_is_told_so(mooring):
    tag = f"mooring-test-{uuid.uuid4().hex[:8]}:1"
    recipe = "FROM scratch\nLABEL io.mooring.test=1\n"
    subprocess.run(["docker", "build", "--quiet", "--tag", tag, "-"], input=recipe, text=True, check=True)
    try:
        done = mooring("run", tag, "--port", "0")
    finally:
        subprocess.run(["docker", "image", "rm", tag], capture_output=True, check=True)
    assert done.returncode == 1
    assert f"{tag} has no start command: neither CMD nor ENTRYPOINT" in done.stderr
    assert "container name" not in done.stderr
