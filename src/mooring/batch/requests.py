"""What is sent for an item: a file as a form, or a row of a table as JSON."""

from __future__ import annotations

import contextlib
import functools
import mimetypes
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mooring.batch.table import RowReader
from mooring.errors import Invalid, MooringError, Refused
from mooring.storage import parse

if TYPE_CHECKING:
    from mooring.batch.item import Item
    from mooring.batch.mapping import Mapping
    from mooring.batch.table import Row
    from mooring.storage import Address, Content, Places

# A file up to this size is held in memory until its request is answered; a larger one is read again for each try.
HELD_BYTES = 1024 * 1024
# A name that is written in an address as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_ANY_KIND = "application/octet-stream"
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})

Streamed = Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]
Body = bytes | Streamed


@dataclass(slots=True)
class Request:
    """One request, which can be sent more than once: a large body is opened anew each time."""

    content_type: str
    length: int
    body: Body


@dataclass(frozen=True)
class Inputs:
    """Opens the sources of items; `limit_bytes` is the largest that the edition allows, None for any."""

    places: Places
    limit_bytes: int | None = None
    slash: Literal["bucket", "path"] = "bucket"
    _near: dict[str, Address] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def open(self, item: Item) -> AsyncIterator[Content]:
        """Give out an item's source. Refused if it is too large; else as `Places.open`."""
        self._require_small(item, item.size or 0)
        async with self.places.open(self._address(item)) as content:
            self._require_small(item, content.size)
            yield content

    async def read(self, item: Item, at_most: int) -> bytes | None:
        """All of an item's source if it has no more bytes than that, else None. Raises as `open`."""
        self._require_small(item, item.size or 0)
        data = await self.places.read(self._address(item), at_most)
        if data is not None:
            self._require_small(item, len(data))
        return data

    def _address(self, item: Item) -> Address:
        folder, _, name = item.source.rpartition("/")
        if not (item.source.startswith("file:///") and _PLAIN.fullmatch(name)):
            return parse(item.source, slash=self.slash)
        if folder not in self._near:
            # One folder after the other: the last will do.
            self._near.clear()
            self._near[folder] = parse(f"{folder}/")
        return self._near[folder] / name

    def _require_small(self, item: Item, size: int) -> None:
        if self.limit_bytes is not None and size > self.limit_bytes:
            raise Refused(f"{item.name} has {size:,} bytes, and {self.limit_bytes:,} are allowed")


class FileRequests:
    """Each file is one request: a form with one field, named as the schema names it, and the file's name kept.

    Facts: batch.md section 3 (inference-modelarts-0040).
    """

    def __init__(self, inputs: Inputs, field: str) -> None:
        self._inputs = inputs
        self._field = field.translate(_ESCAPES)
        # So long and so random that no file holds it.
        self._boundary = secrets.token_hex(16)
        self._end = f"\r\n--{self._boundary}--\r\n".encode()
        self._content_type = f"multipart/form-data; boundary={self._boundary}"

    async def request(self, item: Item) -> Request:
        """The request for an item. Raises what `Inputs.open` raises."""
        before = self._before(item.name)
        held = await self._inputs.read(item, HELD_BYTES)
        if held is not None:
            body = b"%b%b%b" % (before, held, self._end)
            return Request(self._content_type, len(body), body)
        async with self._inputs.open(item) as content:
            size = content.size

        @contextlib.asynccontextmanager
        async def again() -> AsyncIterator[AsyncIterator[bytes]]:
            async with self._inputs.open(item) as now:
                if now.size != size:
                    raise Invalid(f"{item.name} changed from {size:,} to {now.size:,} bytes meanwhile")
                yield self._form(before, now.chunks)

        return Request(self._content_type, len(before) + size + len(self._end), again)

    async def _form(self, before: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield before
        async for data in chunks:
            yield data
        yield self._end

    def _before(self, name: str) -> bytes:
        kind = _kind(".".join(name.rsplit(".", 2)[1:])) if "." in name[1:] else _ANY_KIND
        head = (
            f"--{self._boundary}\r\n"
            f'Content-Disposition: form-data; name="{self._field}"; filename="{name.translate(_ESCAPES)}"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        )
        return head.encode("utf-8", "replace")


@functools.lru_cache(maxsize=1000)
def _kind(suffix: str) -> str:
    return mimetypes.guess_type(f"file.{suffix}")[0] or _ANY_KIND


class RowRequests:
    """Each row of each table is one request."""

    def __init__(self, inputs: Inputs, mapping: Mapping, *, header: bool = False) -> None:
        self._inputs = inputs
        self._mapping = mapping
        self._header = header

    async def rows(self, item: Item) -> AsyncGenerator[tuple[Row, Request | MooringError], None]:
        """Each row with its request, or with what is wrong with it. Raises what `Inputs.open` raises."""
        reader = RowReader(header=self._header)
        async with self._inputs.open(item) as content:
            async for data in content.chunks:
                for row in reader.feed(data):
                    yield row, self._request(item, row)
        for row in reader.end():
            yield row, self._request(item, row)

    def _request(self, item: Item, row: Row) -> Request | MooringError:
        try:
            body = self._mapping.body(row)
        except Invalid as error:
            return Invalid(f"{item.name}, {error.message}", hint=error.hint)
        return Request("application/json", len(body), body)
