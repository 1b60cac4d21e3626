"""The body of a request as it comes from the client: held to a size and a pace, or kept until it is hashed."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from typing import TYPE_CHECKING, Any

from mooring.gateway.connection import Broken, Failure
from mooring.gateway.problem import bad_framing, body_too_large, too_slow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import IO

    from mooring.gateway.heads import Header

# A client may be silent for so long, and must bring at least so much on the whole.
PATIENCE_SECONDS = 30.0
SLOWEST_BYTES_PER_SECOND = 500.0
# A body whose signature is over its hash is kept: in memory up to here, on disk beyond, and no larger than the contract
# allows for signed calls when the service itself has no limit.
_MEMORY_BYTES = 1 << 20
SIGNED_BYTES = 12 << 20
_PIECE_BYTES = 256 * 1024


class Body:
    """A request's body, piece by piece; `length` is None when only its end tells (chunks), `ended` once it is whole.

    Its methods raise a Problem when it is too large, too slow or framed ambiguously, and Broken when the client has
    hung up.
    """

    def __init__(self, headers: Sequence[Header], receive: Callable[[], Awaitable[Any]]) -> None:
        self.length = _length(headers)
        self.ended = self.length == 0
        self.size = 0
        self.limit: int | None = None
        self._receive = receive
        self._began = 0.0
        self._kept: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._kept_whole = False

    def hold_to(self, limit_bytes: int | None) -> None:
        """Take no more than this; what Content-Length tells is enough to refuse."""
        self.limit = limit_bytes
        if limit_bytes is not None and (self.length or self.size) > limit_bytes:
            raise body_too_large(limit_bytes)

    async def next(self) -> bytes:
        """The next piece, of any size; `ended` tells whether it was the last."""
        if self._kept_whole:
            return await self._again()
        loop = asyncio.get_running_loop()
        self._began = self._began or loop.time()
        latest = self._began + PATIENCE_SECONDS + self.size / SLOWEST_BYTES_PER_SECOND
        try:
            async with asyncio.timeout_at(min(latest, loop.time() + PATIENCE_SECONDS)):
                message = await self._receive()
        except TimeoutError:
            raise too_slow() from None
        if message["type"] == "http.disconnect":
            raise Broken(Failure.CLIENT_GONE)
        data: bytes = message.get("body", b"")
        self.ended = not message.get("more_body", False)
        self.size += len(data)
        if self.limit is not None and self.size > self.limit:
            raise body_too_large(self.limit)
        return data

    async def keep(self) -> str:
        """Read all of it, keep it, and tell the lower-case hex SHA-256; `next` then gives it from the start."""
        digest = hashlib.sha256()
        held = 0
        while not self.ended:
            data = await self.next()
            digest.update(data)
            self._kept.append(data)
            held += len(data)
            if held > _MEMORY_BYTES:
                await asyncio.to_thread(self._write_out)
                held = 0
        if self._file is not None:
            await asyncio.to_thread(self._write_out)
            self._file.seek(0)
        self._kept_whole = True
        self.ended = not self.size
        self.length, self.size = self.size, 0
        self._kept.reverse()
        return digest.hexdigest()

    async def _again(self) -> bytes:
        if self._file is None:
            data = self._kept.pop() if self._kept else b""
        else:
            data = await asyncio.to_thread(self._file.read, _PIECE_BYTES)
        self.size += len(data)
        self.ended = self.size >= (self.length or 0)
        return data

    def _write_out(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="mooring-body-")  # noqa: SIM115 - closed by close()
        self._file.writelines(self._kept)
        self._kept.clear()

    def close(self) -> None:
        """Let go of what was kept."""
        if self._file is not None:
            self._file.close()


def _length(headers: Sequence[Header]) -> int | None:
    lengths = [value for name, value in headers if name == b"content-length"]
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if len(lengths) + len(codings) > 1:
        raise bad_framing()
    if codings:
        if codings[0].lower() != b"chunked":
            raise bad_framing()
        return None
    if lengths and not lengths[0].isdigit():
        raise bad_framing()
    return int(lengths[0]) if lengths else 0
