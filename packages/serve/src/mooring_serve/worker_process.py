"""One worker as the parent sees it: a child process and the line to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring_serve import wire

if TYPE_CHECKING:
    from collections.abc import Callable

_MAIN = Path(__file__).parent / "worker" / "__main__.py"


@dataclass(frozen=True)
class Job:
    """What every worker of a server is told."""

    interpreter: str
    directory: str
    config: str
    batch: int


class Spawned:
    """A child process with our end of its line."""

    def __init__(self, job: Job) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            # A whole request with its picture fits: the parent writes it in one go and turns to the next.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        told = {"fd": theirs.fileno(), "directory": job.directory, "config": job.config, "batch": job.batch}
        try:
            # A session of its own: Ctrl-C reaches the parent only, and children of the user's code can be ended too.
            self.process = subprocess.Popen(
                [job.interpreter, str(_MAIN), json.dumps(told)],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=job.directory,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self.line = ours

    def kill(self) -> None:
        """End the process and what it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()

    def ending(self) -> str | None:
        """How the process ended, None while it lives."""
        code = self.process.poll()
        if code is None:
            return None
        if code >= 0:
            return f"exited with code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"was killed by {name}" + (" (often: out of memory)" if -code == signal.SIGKILL else "")


class Line(asyncio.Protocol):
    """The parent's end of the line, once the event loop runs."""

    def __init__(self, on_frame: Callable[[wire.Frame], None], on_lost: Callable[[], None]) -> None:
        self._unpacker = wire.Unpacker()
        self._on_frame = on_frame
        self._on_lost = on_lost
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on every frame that is whole."""
        for frame in self._unpacker.feed(data):
            self._on_frame(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the worker hung up."""
        del exc
        self._on_lost()
