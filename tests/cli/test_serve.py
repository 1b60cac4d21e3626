import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

HANDLER = """
import os
from mooring_serve import Handler

class Greeter(Handler):
    def setup(self, model_dir):
        pass

    def predict(self, name):
        return {"greeting": "hello " + name, "python": os.environ.get("WHO", "")}
"""
# With a comment and a trailing comma, as people write it.
CONFIG = """{
  // greets
  "model_algorithm": "greeting", "model_type": "Image",
  "apis": [{"protocol": "http", "url": "/", "method": "post",
    "request": {"Content-type": "application/json",
      "data": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
    "response": {"Content-type": "application/json", "data": {}}}],
}"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "greeter"
    (folder / "model").mkdir(parents=True)
    (folder / "handler.py").write_text(HANDLER)
    (folder / "config.json").write_text(CONFIG)
    return folder


class Served:
    def __init__(self, folder, *words, **environ):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.temporary = Path(environ.setdefault("TMPDIR", tempfile.mkdtemp(dir=folder.parent)))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mooring.cli", "serve", str(folder), "--port", str(self.port), *words],
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError(self.process.communicate(timeout=5))

    def post(self, value):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/", json.dumps(value).encode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def end(self, number=signal.SIGINT):
        """Exit code, standard output, standard error, seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        out, error = self.process.communicate(timeout=30)
        return self.process.returncode, out, error, time.monotonic() - began


@pytest.fixture
def serve():
    made = []

    def start(*words, **environ):
        made.append(Served(*words, **environ))
        return made[-1]

    yield start
    for served in made:
        if served.process.poll() is None:
            served.process.kill()
            served.process.communicate()


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.02)


def test_a_project_is_served_from_its_folder_and_ctrl_c_ends_it(serve, project):
    served = serve(project).ready()
    assert served.post({"name": "Ada"})["greeting"] == "hello Ada"
    code, _, _, seconds = served.end()
    assert code == 0
    assert seconds < 20


def test_what_was_mended_in_the_config_is_said(serve, project):
    served = serve(project).ready()
    _, _, error, _ = served.end()
    assert "config.json:2" in error
    assert "config show" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_servers_config_is_private_and_gone_however_it_ends(serve, project, number):
    served = serve(project).ready()
    (config,) = served.temporary.glob("mooring-*.json")
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert json.loads(config.read_text())["apis"][0]["method"] == "POST"
    served.end(number)
    until(lambda: not config.exists())


def test_the_process_that_was_started_is_the_server(serve, project):
    served = serve(project).ready()
    command = Path(f"/proc/{served.process.pid}/cmdline")
    assert not command.exists() or b"mooring_serve" in command.read_bytes()


def test_the_editions_limits_hold_and_the_users_settings_win(serve, project):
    served = serve(project, MOORING_BODY_LIMIT_BYTES="20").ready()
    with pytest.raises(urllib.error.HTTPError) as error:
        served.post({"name": "A" * 100})
    assert error.value.code == 413
    error.value.close()


def test_the_projects_own_interpreter_runs_the_model(serve, project):
    wrapper = project / "who"
    wrapper.write_text(f'#!/bin/sh\nWHO=wrapper exec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    (project / "mooring.toml").write_text('python = "./who"\n')
    assert serve(project).ready().post({"name": "A"})["python"] == "wrapper"


def test_an_interpreter_that_is_not_there_is_named(mooring, project):
    done = mooring("serve", project, "--python", "/nowhere/python")
    assert done.returncode == 2
    assert "/nowhere/python" in done.stderr


def test_a_folder_that_is_no_project_is_refused_with_a_way_out(mooring, tmp_path):
    done = mooring("serve", tmp_path)
    assert done.returncode == 2
    assert "mooring init" in done.stderr


def test_a_project_with_a_server_of_its_own_is_sent_to_build_and_run(mooring, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = mooring("serve", tmp_path)
    assert done.returncode == 2
    assert "mooring build" in done.stderr


def test_how_to_call_each_api_is_said_before_it_starts(serve, project):
    served = serve(project, "--host", "0.0.0.0").ready()
    _, _, error, _ = served.end()
    lines = error.splitlines()
    called = lines[lines.index("once it is ready:") + 1].strip()
    assert called.startswith(f"curl -X POST http://127.0.0.1:{served.port}/ ")
    assert """-d '{"name": """ in called


def test_a_port_that_is_free_for_all_has_no_number_yet(serve, project):
    served = serve(project, "--port", "0")
    line = ""
    while "curl" not in line:
        line = served.process.stderr.readline()
        assert line, "it ended without a word"
    served.end()
    assert "http://127.0.0.1:PORT/" in line


def test_a_taken_port_is_a_conflict_with_a_way_out(mooring, project):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = mooring("serve", project, "--port", port)
    assert done.returncode == 2
    assert f"port {port} of this machine is taken by another program" in done.stderr
    assert "--port" in done.stderr
    assert "once it is ready" not in done.stderr


def test_a_port_that_is_no_number_is_left_to_the_server_to_refuse(mooring, project):
    done = mooring("serve", project, MOORING_PORT="eighty")
    assert done.returncode != 0
    assert "MOORING_PORT is 'eighty'" in done.stdout + done.stderr
