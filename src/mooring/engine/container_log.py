"""The log of a container, line by line, as an engine streams it.

The engine sends messages, each with eight bytes before it: which stream it is of, and how long it is. With times asked
for, each begins with one. A line longer than 16 KiB comes in several messages, each with the time of the first, of
which only the last ends with a line end.

A reader goes on by the time of the last line it has, so no two lines may have the same. Engines tell nanoseconds, or
(Podman) seconds, and lines of both streams may be told out of order; each line gets the next free microsecond. Reading
begins a little earlier than asked for, so that this comes out the same wherever one begins.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import requests.exceptions
from docker.types import CancellableStream

from mooring.engine.container_seen import moment
from mooring.engine.translation import translated
from mooring.engine.workload import LogLine
from mooring.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIER_SECONDS = 1
HEAD_BYTES = 8
STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
ENGINE_ERROR = 3
PIECE_BYTES = 64 << 10
# A longer line is told in pieces.
LINE_BYTES = 256 << 10
# A quiet container says nothing for long; then we ask again, in case the engine's machine has gone without a word.
TIMEOUTS_SECONDS = (10, 600)


class LogLines:
    """From messages, however they are cut, to lines later than `since`."""

    def __init__(self, since: datetime | None = None) -> None:
        self._since = since
        self._buffer = bytearray()
        self._begun: dict[str, tuple[datetime, bytearray]] = {}
        self._last = EPOCH

    def take(self, piece: bytes) -> Iterator[LogLine]:
        """The lines that end in this piece of what the engine sends."""
        self._buffer += piece
        at = 0
        while len(self._buffer) >= at + HEAD_BYTES:
            end = at + HEAD_BYTES + int.from_bytes(self._buffer[at + 4 : at + HEAD_BYTES], "big")
            if end > len(self._buffer):
                break
            kind, message = self._buffer[at], bytes(self._buffer[at + HEAD_BYTES : end])
            at = end
            if kind == ENGINE_ERROR:
                raise Unavailable(f"the engine cannot read a log: {message.decode('utf-8', 'replace').strip()}")
            yield from self._message(STREAMS.get(kind, "stdout"), message)
        del self._buffer[:at]

    def rest(self) -> Iterator[LogLine]:
        """What was begun, and will not be ended."""
        for stream in sorted(self._begun):
            time, text = self._begun[stream]
            yield from self._line(time, stream, text)
        self._begun.clear()

    def _message(self, stream: str, message: bytes) -> Iterator[LogLine]:
        told, _, text = message.partition(b" ")
        time = moment(told.decode("ascii", "replace").strip())
        if time is None:
            return
        first, begun = self._begun.pop(stream, (time, bytearray()))
        begun += text
        if begun.endswith(b"\n") or len(begun) >= LINE_BYTES:
            yield from self._line(first, stream, begun)
        else:
            self._begun[stream] = first, begun

    def _line(self, time: datetime, stream: str, text: bytearray) -> Iterator[LogLine]:
        self._last = max(time, self._last + MICROSECOND)
        if self._since is None or self._last > self._since:
            yield LogLine(self._last, stream, text.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r"))


class LogStream:
    """Batches of lines as they come; the engine is asked by whoever reads. `close` ends it, from any thread."""

    def __init__(self, api: docker.APIClient, container: str, since: datetime | None, *, follow: bool) -> None:
        self._api = api
        self._container = container
        self._since = since
        self._follow = follow
        self._closed = threading.Event()
        self._stream: Any = None

    def __iter__(self) -> Iterator[list[LogLine]]:
        lines = LogLines(self._since)
        with translated(f"container {self._container[:12]}"), contextlib.closing(self):
            self._stream = self._asked()
            if self._closed.is_set():
                return
            for piece in self._stream or ():
                if batch := list(lines.take(piece)):
                    yield batch
        if batch := list(lines.rest()):
            yield batch

    def _asked(self) -> CancellableStream | None:
        """The engine's answer; None when nothing was written in the time for one, as Podman answers only then."""
        api = self._api
        asked = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(self._follow), **self._from()}
        url = f"{api.base_url}/v{api.api_version}/containers/{self._container}/logs"
        try:
            response = api.get(url, params=asked, stream=True, timeout=TIMEOUTS_SECONDS)
            response.raise_for_status()
        except requests.exceptions.ReadTimeout:
            return None
        except requests.exceptions.HTTPError as error:
            docker.errors.create_api_error_from_http_exception(error)
        return CancellableStream(response.iter_content(PIECE_BYTES), response)

    def _from(self) -> dict[str, str]:
        if self._since is None:
            return {}
        return {"since": str(max(int(self._since.timestamp()) - EARLIER_SECONDS, 0))}

    def close(self) -> None:
        """Let go of the connection, wherever it is."""
        self._closed.set()
        if self._stream is not None:
            # The SDK closes nothing through SSH, and nothing twice.
            with contextlib.suppress(OSError, AttributeError, docker.errors.DockerException):
                self._stream.close()
