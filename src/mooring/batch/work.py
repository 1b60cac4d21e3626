"""What is done for one item: a file asked and its answer kept, or a table asked row by row and its answers kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mooring.batch.asking import Failed
from mooring.batch.item import Outcome
from mooring.batch.spool import digest
from mooring.errors import Denied, MooringError, Unavailable

if TYPE_CHECKING:
    from mooring.batch.asking import Asker
    from mooring.batch.item import Item
    from mooring.batch.requests import FileRequests, Request, RowRequests
    from mooring.batch.spool import Spool, Spools
    from mooring.batch.table import Row
    from mooring.storage import Storage

# Answers of rows that wait for the answer of a row before them, for each request that can be under way.
_WINDOW_EACH = 4
OUTPUT_DENIED = "output-denied"

Count = Callable[[int, int], None]
"""Told of requests that are done, and how many of those failed, as it happens; less than none takes back."""


class Work(Protocol):
    """Does what there is to do for an item, and can do it again."""

    async def do(self, item: Item, count: Count) -> Outcome:
        """The outcome, once its result is written. Failed, or what storage raises, where there is none.

        Denied of the case OUTPUT_DENIED: no result of any item could be written.
        """


class FileWork:
    """One request an item; its result is the body of the answer, byte by byte."""

    def __init__(self, asker: Asker, requests: FileRequests, output: Storage) -> None:
        self._asker = asker
        self._requests = requests
        self._output = output

    async def do(self, item: Item, count: Count) -> Outcome:
        """Read, ask, write."""
        request = await self._requests.request(item)

        async def keep(body: bytes | AsyncIterator[bytes]) -> None:
            await written(self._output, item, body)

        await self._asker.ask(request, keep)
        count(1, 0)
        return Outcome(item, ok=True)


class RowWork:
    """One request a row; the result is one line of JSON a row, in the order of the rows.

    The line of a row that failed is `{"row":17,"error_message":"..."}`. An answer that is no JSON becomes a text. What
    is done of a table is kept in its spool: only the rest is asked when the table is done again.
    """

    def __init__(
        self, asker: Asker, requests: RowRequests, output: Storage, capacity: Callable[[], int], spools: Spools
    ) -> None:
        """`capacity` tells how many requests can be under way."""
        self._asker = asker
        self._requests = requests
        self._output = output
        self._capacity = capacity
        self._spools = spools

    async def do(self, item: Item, count: Count) -> Outcome:
        """Read, ask and write, row by row."""
        table = _Table(item, count)
        try:
            with _spooling(item), contextlib.closing(self._spools.spool(item.index)) as spool:
                async with contextlib.aclosing(self._lines(table, spool)) as lines:
                    await written(self._output, item, lines)
                if table.failed:
                    spool.end()
                else:
                    spool.remove()
        except BaseException:
            table.take_back()
            raise
        if not table.failed:
            return Outcome(item, ok=True, requests=table.rows)
        error = f"{table.failed:,} of {table.rows:,} rows failed; the first: {table.first}"
        return Outcome(item, ok=False, error=error, requests=table.rows, failed=table.failed)

    async def _lines(self, table: _Table, spool: Spool) -> AsyncGenerator[bytes, None]:
        pending: deque[_Pending] = deque()
        try:
            async with contextlib.aclosing(self._requests.rows(table.item)) as rows:
                async for row, request in rows:
                    pending.append(self._begun(table, spool, row, request))
                    window = max(1, _WINDOW_EACH * self._capacity())
                    while pending and (len(pending) >= window or pending[0].done()):
                        yield await pending.popleft().into(spool)
            while pending:
                yield await pending.popleft().into(spool)
        finally:
            tasks = [one.line for one in pending if isinstance(one.line, asyncio.Task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begun(self, table: _Table, spool: Spool, row: Row, request: Request | MooringError) -> _Pending:
        """The row's line, from the spool or still to come."""
        asked = request.message.encode() if isinstance(request, MooringError) else request.body
        mark = digest(asked if isinstance(asked, bytes) else b"")
        kept = spool.take(mark)
        if kept is not None:
            line, is_earlier = kept
            error = _error_in(line, row)
            if not error:
                table.done()
                return _Pending(mark, line, is_kept=not is_earlier)
            if not is_earlier:
                table.failure(row, error)
                return _Pending(mark, line, is_kept=True)
        return _Pending(mark, asyncio.create_task(self._line(table, row, request)), is_kept=False)

    async def _line(self, table: _Table, row: Row, request: Request | MooringError) -> bytes:
        if isinstance(request, MooringError):
            return table.failure(row, request.message)
        try:
            line = await self._asker.ask(request, _one_line)
        except Failed as failed:
            return table.failure(row, f"{table.item.name}, row {row.number} (line {row.line}): {failed}")
        table.done()
        return line


@dataclass(slots=True)
class _Pending:
    """The line of a row, there or to come; `is_kept` when the spool has it already."""

    mark: bytes
    line: bytes | asyncio.Task[bytes]
    is_kept: bool

    def done(self) -> bool:
        """Whether it is there."""
        return isinstance(self.line, bytes) or self.line.done()

    async def into(self, spool: Spool) -> bytes:
        """The line, once the spool has it; in the order of the rows."""
        line = self.line if isinstance(self.line, bytes) else await self.line
        if not self.is_kept:
            spool.add(self.mark, line)
        return line


@contextlib.contextmanager
def _spooling(item: Item) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"what is done of {item.name} cannot be kept: {error.strerror}", hint="look at the platform's data folder"
        ) from error


def _error_in(line: bytes, row: Row) -> str:
    """Why the row failed, by its line; "" if it did not."""
    if not line.startswith(b'{"row":%d,"error_message":' % row.number):
        return ""
    return str(json.loads(line)["error_message"])


class _Table:
    """How far one table has come."""

    def __init__(self, item: Item, count: Count) -> None:
        self.item = item
        self.rows = self.failed = 0
        self.first = ""
        self._first_number = 0
        self._count = count

    def done(self) -> None:
        """One more row."""
        self.rows += 1
        self._count(1, 0)

    def failure(self, row: Row, error: str) -> bytes:
        """One more row, and the line that says why it failed; the error of the first such row is kept."""
        self.rows += 1
        self.failed += 1
        if not self.first or row.number < self._first_number:
            self.first, self._first_number = error, row.number
        self._count(1, 1)
        entry = {"row": row.number, "error_message": error}
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"

    def take_back(self) -> None:
        """It has to be done again."""
        self._count(-self.rows, -self.failed)


async def written(output: Storage, item: Item, body: bytes | AsyncIterator[bytes]) -> None:
    """Write an item's result."""
    try:
        await output.write(item.result, body)
    except Denied as error:
        raise Denied(error.message, hint=error.hint, case=OUTPUT_DENIED) from error


async def _one_line(body: bytes | AsyncIterator[bytes]) -> bytes:
    """The answer as one line: JSON may have line ends only between its parts, where a blank does as well."""
    data = body if isinstance(body, bytes) else b"".join([one async for one in body])
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return json.dumps(data.decode("utf-8", "replace"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return data.strip().replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
