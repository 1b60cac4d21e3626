"""Storage in this process, for tests and for trying things out."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mooring.errors import NotFound
from mooring.storage.naming import is_hidden, require_inside
from mooring.storage.storage import CHUNK_BYTES, Content, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mooring.storage.address import Address


class MemoryStorage:
    """Bytes by their names; places that share `held` see the same things."""

    def __init__(self, address: Address, held: dict[str, bytes] | None = None) -> None:
        self._address = address
        self._prefix = f"{address.key.strip('/')}/".lstrip("/")
        self.held = {} if held is None else held

    @property
    def address(self) -> Address:
        """What it is called."""
        return self._address

    async def list(self) -> AsyncIterator[Entry]:
        """As it was when the listing began."""
        for name, size in sorted(((name, len(data)) for name, data in self.held.items()), key=_by_bytes):
            inner = name.removeprefix(self._prefix)
            if name.startswith(self._prefix) and not is_hidden(inner):
                yield Entry(inner, size)

    @contextlib.asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Content]:
        """As it was when it was opened."""
        data = self.held.get(self._prefix + require_inside(name))
        if data is None:
            raise NotFound(f"{self._address / name} is not there")
        yield Content(len(data), _chunks(data))

    async def write(self, name: str, content: bytes | AsyncIterator[bytes]) -> None:
        """Gather it, then hold it."""
        require_inside(name)
        self.held[self._prefix + name] = (
            content if isinstance(content, bytes) else b"".join([one async for one in content])
        )

    async def settle(self) -> None:
        """Nothing here outlives anything."""

    async def exists(self, name: str) -> bool:
        """Whether something has that name."""
        return self._prefix + require_inside(name) in self.held

    async def is_empty(self) -> bool:
        """Whether there is nothing that is not hidden."""
        return not [entry async for entry in self.list()]

    async def delete(self, name: str) -> None:
        """Let go of it."""
        self.held.pop(self._prefix + require_inside(name), None)


def _by_bytes(found: tuple[str, int]) -> bytes:
    return found[0].encode()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]
