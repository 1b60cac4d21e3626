"""Running a program of the image inside its container, and taking only so much from it for only so long."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.engine.probe import BODY_BYTES
from mooring.engine.translation import translated

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    import docker

# Before each piece of output the engine says in so many bytes which stream it is of, and in the last four how long.
HEAD_BYTES = 8
PIECE_BYTES = 64 << 10


@dataclass(frozen=True)
class Ran:
    """The beginning of what it wrote, to both outputs, and its exit code; None when it had not ended in time."""

    written: bytes
    exit_code: int | None


def run(api: docker.APIClient, container: str, words: Sequence[str], *, timeout_seconds: float) -> Ran:
    """Run it as the container's user. What has not ended in time is left to itself. Errors as the engine's."""
    deadline = time.monotonic() + timeout_seconds
    with translated(f"container {container[:12]}"):
        made = api.exec_create(container, list(words))
        stream = api.exec_start(made["Id"], socket=True)
        written, ended = bytearray(), False
        # The SDK hands out the socket below a response that it leaves open.
        with contextlib.closing(stream._response), contextlib.suppress(OSError):  # noqa: SLF001
            ended = _read(getattr(stream, "_sock", stream), written, deadline)
        code = api.exec_inspect(made["Id"])["ExitCode"] if ended else None
    return Ran(_without_heads(bytes(written)), code)


def _read(source: socket.socket, written: bytearray, deadline: float) -> bool:
    """Read to the end, keeping the beginning; whether there was an end."""
    while (left := deadline - time.monotonic()) > 0:
        source.settimeout(left)
        piece = source.recv(PIECE_BYTES)
        if not piece:
            return True
        written += piece[: BODY_BYTES + PIECE_BYTES - len(written)]
    return False


def _without_heads(framed: bytes) -> bytes:
    text, at = bytearray(), 0
    while len(framed) >= at + HEAD_BYTES and len(text) < BODY_BYTES:
        end = at + HEAD_BYTES + int.from_bytes(framed[at + 4 : at + HEAD_BYTES], "big")
        text += framed[at + HEAD_BYTES : end]
        at = end
    return bytes(text[:BODY_BYTES])
