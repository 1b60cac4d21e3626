"""Bytes that come in chunks and are read once, forwards, without being joined more than they must."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 20
PEEK_BYTES = 4096


class Feed:
    """A stream of chunks of any length; `position` counts the bytes that were read or skipped."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """Bytes that were read or skipped so far."""
        return self._before + self._at

    def _next(self) -> bool:
        """Move on to the next chunk that holds something; False at the end."""
        self._before += len(self._chunk)
        self._at = 0
        self._chunk = next(self._chunks, b"")
        while not self._chunk:
            following = next(self._chunks, None)
            if following is None:
                return False
            self._chunk = following
        return True

    def take(self, count: int) -> bytes:
        """The next `count` bytes; fewer only at the end."""
        end = self._at + count
        if end <= len(self._chunk):
            taken = self._chunk[self._at : end]
            self._at = end
            return taken
        pieces = []
        while count and (piece := self.some(count)):
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def some(self, count: int) -> bytes:
        """At least one and at most `count` bytes, as they lie in the current chunk; none only at the end."""
        if self._at == len(self._chunk) and not self._next():
            return b""
        end = min(self._at + count, len(self._chunk))
        taken = self._chunk if end - self._at == len(self._chunk) else self._chunk[self._at : end]
        self._at = end
        return taken

    def peek(self, count: int) -> bytes:
        """The next `count` bytes, without taking them; fewer only at the end."""
        while len(self._chunk) - self._at < count:
            following = next(self._chunks, None)
            if following is None:
                break
            self._before += self._at
            self._chunk = self._chunk[self._at :] + following
            self._at = 0
        return self._chunk[self._at : self._at + count]

    def skip(self, count: int) -> int:
        """Pass over `count` bytes; how many there were."""
        left = count
        while left:
            here = len(self._chunk) - self._at
            if here >= left:
                self._at += left
                return count
            left -= here
            if not self._next():
                return count - left
        return count


class Content(io.BufferedIOBase):
    """The next `length` bytes of a feed as a file that is read forwards; what is left unread is passed over."""

    def __init__(self, feed: Feed, length: int) -> None:
        super().__init__()
        self._feed = feed
        self._left = length
        self._length = length

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How many bytes were read."""
        return self._length - self._left

    def read(self, size: int | None = -1, /) -> bytes:
        """`size` bytes, fewer only at the end; all that is left without `size`."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data = self._feed.take(wanted)
        self._left -= len(data)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, as they lie in memory: the cheapest way to read on; none at the end."""
        if not self._left:
            return b""
        data = self._feed.some(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def peek(self, size: int = 0, /) -> bytes:
        """Some of the bytes that come next, without taking them; `readline` is quick because of it."""
        return self._feed.peek(min(max(size, PEEK_BYTES), self._left)) if self._left else b""

    def finish(self) -> bool:
        """Pass over what was not read; False when the feed ended before."""
        skipped = self._feed.skip(self._left)
        complete = skipped == self._left
        self._left = 0
        return complete


class SeekingFeed(Feed):
    """The bytes of a regular file, where what is passed over is not read."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self._length = file.seek(0, io.SEEK_END)
        file.seek(0)
        # Between skips only headers are read.
        super().__init__(iter(lambda: file.read(PEEK_BYTES) or b"", b""))

    def skip(self, count: int) -> int:
        """Pass over `count` bytes; how many there were."""
        left = min(count, self._length - self.position)
        if left <= len(self._chunk) - self._at:
            self._at += left
            return left
        self._before += self._at + left
        self._chunk, self._at = b"", 0
        self._file.seek(self._before)
        return left
