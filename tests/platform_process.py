"""A platform as its user has it: `mooring up` in a process of its own, and the commands that know where it is."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import pytest

from mooring.cli import main

MOORING = (sys.executable, "-m", "mooring.cli")
PATIENCE_SECONDS = 60
UP = re.compile(r"mooring is up at (http://\S+)")
# Everything as it is, but sooner: a test looks on.
SETTINGS = """
[timings]
resync_seconds = 0.2
probe_seconds = 0.1
drain_seconds = 10
grace_seconds = 5
backoff_seconds = 0.2
"""
CONFIG = {
    "model_algorithm": "greeting",
    "model_type": "Image",
    "health": {"url": "/health", "protocol": "http", "check_method": "HTTP"},
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
            "response": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"hello": {"type": "string"}, "by": {"type": "integer"}}},
            },
        }
    ],
}
HANDLER = """
import time

from mooring_serve import Handler


class Greeter(Handler):
    def setup(self, model_dir):
        print("greeter {by} is here", flush=True)
        {setup}

    def predict(self, name="world"):
        {predict}
        return {{"hello": name, "by": {by}}}
"""


def greeter(folder, *, by=1, setup="pass", predict="pass"):
    """A project in that folder: it says hello, and which version of it does."""
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "words.txt").write_text("hello")
    (folder / "handler.py").write_text(HANDLER.format(by=by, setup=setup, predict=predict))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder


class PlatformProcess:
    """`mooring up` on a data folder; it can be ended, killed and started again, and is emptied when it is closed."""

    def __init__(self, data, *, engine="process", listen="127.0.0.1:0", settings=SETTINGS, database=""):
        self.data = data
        self.database = database
        self.engine = engine
        self.listen = listen
        data.mkdir(parents=True, exist_ok=True)
        (data / "platform.toml").write_text(settings)
        self.process = None
        self.url = ""
        self.said = ""

    @property
    def environ(self):
        """What a user's shell has set: where the platform is, and nothing of this machine's own platform."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        return {
            **kept,
            "MOORING_DATA": str(self.data),
            "MOORING_URL": self.url,
            **({"MOORING_DATABASE": self.database} if self.database else {}),
            "XDG_CONFIG_HOME": str(self.data.parent / "config"),
            "NO_COLOR": "1",
        }

    def words(self, *more):
        """The command that starts it."""
        return [*MOORING, "up", "--engine", self.engine, "--listen", self.listen, *more]

    def start(self):
        """Start it and wait until it says where it is."""
        self.process = subprocess.Popen(self.words(), env=self.environ, stderr=subprocess.PIPE, text=True, bufsize=1)
        self.said = ""
        up = threading.Event()
        threading.Thread(target=self._listen, args=(self.process, up), daemon=True).start()
        assert up.wait(PATIENCE_SECONDS), f"it did not come up:\n{self.said}"
        found = UP.search(self.said)
        assert found, f"it ended:\n{self.said}"
        self.url = found[1]
        # The next start is where the services' users know it to be.
        self.listen = self.url.removeprefix("http://")
        return self

    def _listen(self, process, up):
        with process.stderr as lines:
            for line in lines:
                self.said += line
                if line.startswith("  API"):
                    up.set()
        up.set()

    @property
    def token(self):
        """Of its first user."""
        return (self.data / "token").read_text().strip()

    def end(self, number=signal.SIGTERM):
        """Send that signal and wait until it has ended; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def mooring(self, *words, stdin="", **environ):
        """A command, as its user types it; in this process, as there are many of them."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        patched = mock.patch.multiple(
            sys, argv=["mooring", *map(str, words)], stdin=io.StringIO(stdin), stdout=out, stderr=err
        )
        with (
            patched,
            mock.patch.dict(os.environ, {**self.environ, **environ}, clear=True),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        shown, told = (stream.buffer.getvalue().decode() for stream in (out, err))
        return subprocess.CompletedProcess(words, ended.value.code or 0, shown, told)

    def begin(self, *words):
        """A command that goes on until it is told otherwise."""
        return subprocess.Popen(
            [*MOORING, *map(str, words)],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def done(self, *words, **how):
        """What a command that must succeed wrote to its standard output."""
        ran = self.mooring(*words, **how)
        assert ran.returncode == 0, f"mooring {' '.join(map(str, words))}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def told(self, *words):
        """What a command says to programs."""
        return json.loads(self.done(*words, "--json"))

    def close(self):
        """Delete its services and models, so that nothing of it stays, and end it."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            self.start()
        services = [one["service_id"] for one in self.told("services")]
        models = [one["model_id"] for one in self.told("models")]
        if services or models:
            self.done("delete", *services, *models)
        self.end()


def servers(data):
    """The ids of the processes that serve models of the platform in that folder, on the process engine."""
    return processes("-m", "mooring_serve", f"{data}/")


def processes(*words):
    """The ids of the processes with all these words on their command line."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if all(word in line for word in words):
                found.add(int(folder.name))
    return found


def until(true, what="it", seconds=PATIENCE_SECONDS):
    """Look again and again until it is true; its value."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"after {seconds} s {what} was still not so"
        time.sleep(0.05)
    return found


def free_port():
    """One that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
