"""Compressed bytes unpacked as they come by, a piece at a time, within a budget that a bomb cannot outgrow."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 1 << 20
# What a file may unpack to, besides so many times what was read of it: deflate alone reaches a thousand times.
FREE = 1 << 30
RATIO = 100
# A dictionary of more memory than this is refused; xz -9 needs 64 MiB.
XZ_MEMORY = 80 << 20


class Bomb(Exception):
    """It unpacks to far more than it is worth looking at."""


class Damaged(Exception):
    """It cannot be unpacked."""


class Budget:
    """What all that lies in one file may cost together: bytes that it unpacks to, and steps of pickles."""

    def __init__(self) -> None:
        self.read = 0
        self.unpacked = 0
        self.steps = 0

    def spend(self, count: int) -> None:
        """Count unpacked bytes; Bomb when it is too much."""
        self.unpacked += count
        if self.unpacked > FREE + RATIO * self.read:
            raise Bomb


class Decompressor(Protocol):
    """What zlib, bz2 and lzma have in common, once zlib is dressed up a little."""

    @property
    def eof(self) -> bool:
        """Whether the compressed data is at its end."""

    @property
    def needs_input(self) -> bool:
        """Whether more must be put in before more comes out."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind the end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many more bytes."""


class Inflater:
    """zlib's decompressor with the manners of the other two."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        """Whether the compressed data is at its end."""
        return self._inner.eof

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many more bytes."""
        out = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(out) < max_length
        return out

    @property
    def unused_data(self) -> bytes:
        """What stands behind the end."""
        return self._inner.unused_data


class _ZipLzma:
    """LZMA as zip members have it: a version, the length of the properties and the properties stand before the data."""

    def __init__(self) -> None:
        self.eof, self.needs_input, self.unused_data = False, True, b""
        self._head = b""
        self._inner: lzma.LZMADecompressor | None = None

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many more bytes."""
        if self._inner is None:
            self._head += data
            size = int.from_bytes(self._head[2:4], "little")
            if len(self._head) < 4 + size or size != _LZMA_PROPERTIES:
                return b""
            data = self._begin()
        assert self._inner is not None  # noqa: S101 - begun just now
        out = self._inner.decompress(data, max_length)
        self.eof, self.needs_input = self._inner.eof, self._inner.needs_input
        return out

    def _begin(self) -> bytes:
        first, dictionary = self._head[4], int.from_bytes(self._head[5:9], "little")
        if dictionary > XZ_MEMORY:
            raise lzma.LZMAError("dictionary too large")
        options = {
            "id": lzma.FILTER_LZMA1,
            "dict_size": dictionary,
            "lc": first % 9,
            "lp": first // 9 % 5,
            "pb": first // 45,
        }
        self._inner = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])
        return self._head[4 + _LZMA_PROPERTIES :]


_LZMA_PROPERTIES = 5
RAW_DEFLATE, ZLIB, GZIP = -zlib.MAX_WBITS, zlib.MAX_WBITS, zlib.MAX_WBITS + 16

# The compression methods of zip members that can be unpacked.
DEFLATED = 8
# Others that exist: there is a reader for them somewhere.
FOREIGN_METHODS = frozenset({1, 2, 3, 4, 5, 6, 9, 10, 18, 19, 20, 93, 95, 96, 97, 98, 99})
ZIP_METHODS: dict[int, Callable[[], Decompressor]] = {
    DEFLATED: lambda: Inflater(RAW_DEFLATE),
    12: bz2.BZ2Decompressor,
    14: _ZipLzma,
}


def opener(head: bytes) -> Callable[[], Decompressor] | None:
    """What unpacks a file or a member that begins so; None for what is not compressed, or not known."""
    if head[:2] == b"\x1f\x8b":
        return lambda: Inflater(GZIP)
    if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2], "big") % 31 == 0:
        return lambda: Inflater(ZLIB)
    if head[:3] == b"BZh":
        return bz2.BZ2Decompressor
    if head[:6] == b"\xfd7zXZ\0":
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)
    if head[:3] == b"\x5d\0\0":
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=XZ_MEMORY)
    return None


def unpacked(decompressor: Decompressor, data: bytes, budget: Budget) -> Iterator[bytes]:
    """What so many more bytes unpack to, in pieces. Bomb beyond the budget, Damaged for what is not compressed so."""
    try:
        while not decompressor.eof:
            piece = decompressor.decompress(data, PIECE)
            data = b""
            budget.spend(len(piece))
            if piece:
                yield piece
            if decompressor.needs_input or not piece:
                return
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise Damaged from error


def taste(decompressor: Decompressor, data: bytes, length: int) -> bytes:
    """The first bytes that it unpacks to, at most so many; fewer, or none, when it is damaged."""
    try:
        return decompressor.decompress(data, length)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return b""
