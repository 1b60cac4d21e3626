"""Tables as people save them (CSV), read row by row as their bytes come."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.contract.node import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
# A quote that nobody closed would take in the rest of the file.
MAX_LINES = 1000
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number and the number of its first line, both from 1, and its cells, or in `error` why not."""

    number: int
    line: int
    cells: list[str]
    error: str = ""


class RowReader:
    """Reads a table as its bytes come; each row comes out once, in order, with what is wrong with it if something is.

    * Cells are separated by commas. A cell in double quotes may hold commas, line ends and, doubled, quotes.
    * Lines end with LF, CRLF or CR. A line without anything is no row. There is no row of headings, unless `header`
      says so: it is then skipped, and counted.
    * Text is UTF-8, with or without a byte order mark. A row that is not UTF-8 is an error of that row; a file that
      begins as UTF-16 is one error, and the rest of it is not read.
    * A row of more than 1,000 lines or 1 MiB, a quote after which neither a comma nor the end of the line comes, and a
      quote that the end of the file leaves open are errors of that row. What the first two have taken in is skipped.

    Facts: batch.md section 3 (inference-modelarts-0040), which names the comma and UTF-8, and is silent on the rest.
    """

    def __init__(self, *, header: bool = False) -> None:
        self._header = header
        self._rest = b""
        self._open: list[bytes] = []
        self._open_bytes = 0
        self._line = self._first = self._number = 0
        self._over = self._begun = False

    def feed(self, data: bytes) -> Iterator[Row]:
        """The rows that are whole now; exhaust it before the next call."""
        lines = (self._rest + data).splitlines(keepends=True)
        # The last may go on; if it ends with CR, with LF.
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            yield from self._take(line)
        if len(self._rest) > MAX_BYTES:
            line, self._rest = self._rest, b""
            yield from self._take(line)

    def end(self) -> Iterator[Row]:
        """The last row, if nothing ended it."""
        if self._rest:
            yield from self._take(self._rest)
        if self._open:
            yield from self._broken('a quote was opened and never closed: expected `"` before the end of the file')
        self._rest = b""

    def _take(self, line: bytes) -> Iterator[Row]:
        if self._over:
            return
        self._line += 1
        if not self._begun:
            self._begun = True
            if line.startswith(_OTHER_BOMS):
                self._over = True
                yield Row(1, 1, [], "the file is UTF-16, and must be UTF-8: save it as CSV UTF-8")
                return
            line = line.removeprefix(_BOM)
        if not self._open:
            self._first, self._open_bytes = self._line, 0
        self._open.append(line)
        self._open_bytes += len(line)
        # Nothing but a quote can end a cell in quotes.
        if len(self._open) == 1 or b'"' in line:
            yield from self._try()
        if self._open and (len(self._open) >= MAX_LINES or self._open_bytes > MAX_BYTES):
            yield from self._broken(f"{len(self._open)} lines belong to one row: is a quote in it not closed?")

    def _try(self) -> Iterator[Row]:
        if self._open_bytes > MAX_BYTES:
            return
        try:
            text = b"".join(self._open).decode()
            wrong = ""
        except UnicodeDecodeError as error:
            text = b"".join(self._open).decode(errors="replace")
            wrong = f"the text is not UTF-8: byte {error.object[error.start]:#04x}; save the file as CSV UTF-8"
        source = _Lines(text)
        try:
            cells = next(csv.reader(source, strict=True), [])
        except csv.Error as error:
            if source.wanted_more:
                return
            yield from self._broken(f"the row cannot be read: {error}")
            return
        self._open = []
        if cells:
            self._number += 1
            if not (self._header and self._number == 1):
                yield Row(self._number, self._first, [] if wrong else cells, wrong)

    def _broken(self, why: str) -> Iterator[Row]:
        begin = shortened(b"".join(self._open[:1])[:100].decode(errors="replace").rstrip())
        self._number += 1
        self._open = []
        yield Row(self._number, self._first, [], f"{why} (it begins {begin!r})")


class _Lines:
    """The lines of a row that may be whole, as one text, and whether its reader wanted more."""

    def __init__(self, text: str) -> None:
        self._text = iter([text])
        self.wanted_more = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            return next(self._text)
        except StopIteration:
            self.wanted_more = True
            raise
