"""Layers as they are stored, made into the archives they hold: plain, gzip or zstd, told by their first bytes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from isal import isal_zlib

from mooring.errors import Invalid
from mooring.image.feed import CHUNK_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The package declares it to be an instance.
GZIP_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = tuple(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60))
MAGIC_BYTES = 6
# What runtimes once took, or never did; nobody has been seen to make such images for years.
UNSUPPORTED = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"PK\x03\x04": "zip"}
# What `zstd` itself takes without being told otherwise; a frame may ask for gigabytes.
ZSTD_WINDOW_LOG = 27
# As much as is decompressed at once: little, because the rest of it is copied after each of many short members.
PIECE_BYTES = 64 << 10
# Ordinary layers unpack to 2 to 10 times their stored size, zeros with gzip to 1000 times.
MAX_RATIO = 250
ALWAYS_ALLOWED_BYTES = 4 << 30


def packing_of(start: bytes) -> str:
    """`gzip` or `zstd`, as the first bytes say; "" for what is neither. Invalid for what nobody should pack with."""
    if start.startswith(GZIP):
        return "gzip"
    if start.startswith((ZSTD, *ZSTD_SKIPPABLE)):
        return "zstd"
    for magic, name in UNSUPPORTED.items():
        if start.startswith(magic):
            raise Invalid(f"it is packed with {name}; expected is tar, plain or packed with gzip or zstd")
    return ""


def unpacked(stored: Iterator[bytes], stored_size: Callable[[], int]) -> Iterator[bytes]:
    """The archive in chunks of at most 1 MiB where it was packed, as it comes where it was not.

    `stored_size` is asked for the bytes that are stored, as far as that is known by then.

    Raises:
        Invalid: the stream is damaged, ends early, or unpacks to far more than any layer does.
    """
    start = b""
    for chunk in stored:
        start += chunk
        if len(start) >= MAGIC_BYTES:
            break
    packing = packing_of(start)
    whole = _chained(start, stored)
    if not packing:
        yield from whole
        return
    produced = 0
    for chunk in _gunzipped(whole) if packing == "gzip" else _unzstd(whole):
        produced += len(chunk)
        if produced > ALWAYS_ALLOWED_BYTES and produced > MAX_RATIO * stored_size():
            raise Invalid(
                f"it unpacks to more than {ALWAYS_ALLOWED_BYTES >> 30} GiB and {MAX_RATIO} times its stored size",
                hint="it is made to fill a disk; if it is not, leave the empty file out of the image",
            )
        yield chunk


def _chained(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from rest


def _pieces(stored: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in stored:
        if len(chunk) <= PIECE_BYTES:
            yield chunk
        else:
            view = memoryview(chunk)
            for at in range(0, len(chunk), PIECE_BYTES):
                yield bytes(view[at : at + PIECE_BYTES])


def _gunzipped(stored: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip stream, and no word about zeros after them."""
    member: Any = None
    for piece in _pieces(stored):
        data = piece
        while data:
            if member is None:
                data = data.lstrip(b"\0")
                member = isal_zlib.decompressobj(wbits=31) if data else None
                continue
            try:
                chunk = member.decompress(data, CHUNK_BYTES)
            except GZIP_ERROR as error:
                raise Invalid(f"its gzip data is damaged: {error}") from error
            if chunk:
                yield chunk
            data = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    if member is not None:
        raise Invalid("its gzip data ends in the midst")


def _unzstd(stored: Iterator[bytes]) -> Iterator[bytes]:
    """All frames of a zstd stream."""
    frame = _zstd_frame()
    started = False
    for piece in _pieces(stored):
        data = piece
        while data or (started and not frame.needs_input):
            started = True
            try:
                chunk = frame.decompress(data, CHUNK_BYTES)
            except zstd.ZstdError as error:
                raise Invalid(
                    f"its zstd data cannot be unpacked: {error}", hint="is it made with --long=28 or more? use 27"
                ) from error
            if chunk:
                yield chunk
            data = b""
            if frame.eof:
                data = frame.unused_data
                frame, started = _zstd_frame(), False
    if started:
        raise Invalid("its zstd data ends in the midst")


def _zstd_frame() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})
