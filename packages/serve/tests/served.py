"""Real servers for the tests: a project in a folder, `python -m mooring_serve` on it, and its log."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 60.0


def api(url="/", method="POST", content_type="application/json", data=None):
    return {
        "protocol": "http",
        "url": url,
        "method": method,
        "request": {"Content-type": content_type, "data": data or {}},
        "response": {"Content-type": "application/json", "data": {}},
    }


IMAGES = api(content_type="multipart/form-data", data={"type": "object", "properties": {"images": {"type": "file"}}})
NUMBER = api(data={"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]})


def until(condition, what, seconds=DEADLINE):
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


class Served:
    """A running server: its process, its port and the lines of its log."""

    def __init__(self, folder: Path, *arguments: str, **settings: object) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOORING_")}
        environment.update({f"MOORING_{name.upper()}": str(value) for name, value in settings.items()})
        environment.setdefault("MOORING_PORT", "0")
        environment.setdefault("MOORING_HOST", "127.0.0.1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mooring_serve", str(folder), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.log: list[str] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=args, daemon=True)
            for args in ((self.process.stdout, self.log), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()
        self.port = int(self.line(r" listening .*port=(\d+)")[1])

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def line(self, pattern, seconds=DEADLINE):
        """The first line of the log that matches."""

        def found():
            assert self.process.poll() is None or self._match(pattern), f"it ended: {self.log} {self.errors}"
            return self._match(pattern)

        return until(found, f"a log line like {pattern!r} in {self.log}", seconds)

    def _match(self, pattern):
        return next((match for line in list(self.log) if (match := re.search(pattern, line))), None)

    def connection(self, timeout=DEADLINE):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, timeout=DEADLINE):
        """(status, decoded JSON or bytes, headers) of one request on a connection of its own."""
        with contextlib.closing(self.connection(timeout)) as connection:
            connection.request(method, path, body, headers or {})
            return answer_of(connection.getresponse())

    def json(self, path, value, **more):
        return self.ask("POST", path, json.dumps(value), {"content-type": "application/json"}, **more)

    def upload(self, path="/", **files):
        body, content_type = form(files)
        return self.ask("POST", path, body, {"content-type": content_type})

    def ready(self):
        """Wait until it is healthy."""
        until(lambda: self.ask("GET", "/health")[0] == 200, f"healthy: {self.log}")
        return self

    def workers(self):
        """The process ids of its workers."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


def answer_of(response):
    content = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    with contextlib.suppress(ValueError):
        content = json.loads(content)
    return response.status, content, headers


def form(files, boundary="xxBOUNDARYxx"):
    """A multipart body: {field: text, or (file name, content)}."""
    parts = []
    for field, value in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"'
        if isinstance(value, tuple):
            head += f'; filename="{value[0]}"\r\nContent-Type: image/jpeg'
            content = value[1]
        else:
            content = value.encode()
        parts.append(head.encode() + b"\r\n\r\n" + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
