"""How the argument of each pickle opcode lies in the bytes, and how to read it without holding what is long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    # (buffer, where the argument begins) -> (argument, where the next opcode begins), or None when bytes are missing.
    # The next opcode may lie beyond the buffer: what is between is payload that nobody needs to see.
    Read = Callable[[bytes, int], tuple[object, int] | None]

# Longer strings name no module; longer lines hold no import.
LONGEST_STRING = 256
LONGEST_LINE = 4096


class Opaque:
    """A value whose content does not matter, or cannot be known without running the pickle."""

    def __repr__(self) -> str:
        return "OPAQUE"


OPAQUE = Opaque()


def fixed(size: int) -> Read:
    """A little-endian number of so many bytes."""

    def read(buffer: bytes, at: int) -> tuple[object, int] | None:
        end = at + size
        return (int.from_bytes(buffer[at:end], "little"), end) if end <= len(buffer) else None

    return read


def counted(size: int, make: Callable[[bytes], object] | None = None) -> Read:
    """A length of so many bytes and that many bytes; what is long or has no `make` is passed over."""

    def read(buffer: bytes, at: int) -> tuple[object, int] | None:
        start = at + size
        if start > len(buffer):
            return None
        length = int.from_bytes(buffer[at:start], "little")
        if make is None or length > LONGEST_STRING:
            return OPAQUE, start + length
        end = start + length
        return (make(buffer[start:end]), end) if end <= len(buffer) else None

    return read


def line(buffer: bytes, at: int) -> tuple[object, int] | None:
    """Bytes up to a line end; of a line longer than any that matters, OPAQUE and where its reader gave up."""
    end = buffer.find(b"\n", at, at + LONGEST_LINE)
    if end >= 0:
        return buffer[at:end], end + 1
    return (OPAQUE, at + LONGEST_LINE) if len(buffer) >= at + LONGEST_LINE else None


def two_lines(buffer: bytes, at: int) -> tuple[object, int] | None:
    """Two lines, as text; OPAQUE where they are too long to be names."""
    first = line(buffer, at)
    second = first and line(buffer, first[1])
    if not first or not second:
        return None
    if isinstance(first[0], bytes) and isinstance(second[0], bytes):
        return (text(first[0]), text(second[0])), second[1]
    return OPAQUE, second[1]


def text(data: bytes) -> str:
    """A string as the unpickler decodes it, near enough for names."""
    return data.decode("utf-8", "surrogateescape")
