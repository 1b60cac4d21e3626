"""What every place that holds data promises: to list it, to give it out as a stream, to take it in whole or not at all.

Names are relative to the place, their parts joined by `/`, and never lead out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from mooring.storage.address import Address

# What streams come in, at most and about.
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that lies somewhere: its name there and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Content:
    """What was opened for reading: its size in bytes, and its bytes, once, in pieces that are never empty."""

    size: int
    chunks: AsyncIterator[bytes]


class Storage(Protocol):
    """A place that holds data: a folder, or what lies below a prefix of a bucket.

    Every method raises Invalid for a name that leads out of the place, Denied where we may not, and Unavailable where
    the place does not answer, in which case the same call may succeed later.
    """

    @property
    def address(self) -> Address:
        """Where the place is."""

    def list(self) -> AsyncIterator[Entry]:
        """Everything in the place, at any depth, in the order of the bytes of its names; hidden things are left out.

        Hidden is whatever has a part of its name that begins with a dot. NotFound where the place is a folder that
        does not exist; a prefix of a bucket with nothing below it is empty.
        """

    def open(self, name: str) -> AbstractAsyncContextManager[Content]:
        """Give out what lies there, one size for all of it. NotFound where nothing does."""

    async def write(self, name: str, content: bytes | AsyncIterator[bytes]) -> None:
        """Put content there, in place of what was there. It is all there afterwards, or nothing changed.

        An error that the stream raises comes out as it is.
        """

    async def settle(self) -> None:
        """Return when what was written until now outlives a power failure.

        For many files at once that costs about as much as for one. Unavailable when it cannot be said.
        """

    async def exists(self, name: str) -> bool:
        """Whether something lies there."""

    async def is_empty(self) -> bool:
        """Whether `list` would give nothing; a place that does not exist is empty."""

    async def delete(self, name: str) -> None:
        """Take away what lies there; nothing happens where nothing does."""
