"""A health command run on this machine: as long as it may take, and no more of its words than are needed."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from mooring.engine.inside import HEALTHY, UNAVAILABLE
from mooring.engine.probe import BODY_BYTES, Answer, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping


def run_local_command(command: str, *, folder: str, env: Mapping[str, str], timeout_seconds: float) -> Answer:
    """Run it through the shell in `folder`; exit code 0 is the answer 200, else 503.

    SILENT when it has not ended in time; then all of its process group is killed.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Answer(Outcome.CLOSED, detail=f"it could not be started: {error.strerror}")
    with process:
        try:
            said = _said(process, deadline)
            code = process.wait(max(0.0, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired):
            return Answer(Outcome.SILENT, detail=f"no end within {timeout_seconds:g} s")
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    body = said if code == 0 else f"exit code {code}{': ' if said else ''}{said}"
    return Answer(Outcome.ANSWERED, status=HEALTHY if code == 0 else UNAVAILABLE, body=body)


def _said(process: subprocess.Popen[bytes], deadline: float) -> str:
    """The beginning of what it writes until it ends; TimeoutError at the deadline."""
    assert process.stdout is not None  # noqa: S101 - for mypy: it was asked for
    said, end = bytearray(), process.stdout.fileno()
    poll = select.poll()  # select(2) takes no descriptor above 1023
    poll.register(end, select.POLLIN)
    while process.poll() is None or poll.poll(0):
        if time.monotonic() >= deadline:
            raise TimeoutError
        # A child that it left behind may hold the pipe: its own end is looked for, too.
        if poll.poll(20):
            data = os.read(end, BODY_BYTES)
            if not data:
                break
            said += data[: BODY_BYTES - len(said)]
    return bytes(said).decode("utf-8", "replace").strip()
