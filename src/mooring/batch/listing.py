"""From what a job is given to its items, and from their outcomes to the list of results: as streams, both."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Literal

from mooring.batch.item import Item
from mooring.batch.manifest import PART_BYTES, SUFFIX, ManifestForm, ManifestParts, read_manifest
from mooring.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mooring.batch.item import Outcome
    from mooring.batch.naming import ResultNames
    from mooring.storage import Address, Places, Storage

_TABLE = ".csv"


async def items_of(
    places: Places,
    source: Address,
    names: ResultNames,
    *,
    tables: bool = False,
    slash: Literal["bucket", "path"] = "bucket",
) -> AsyncIterator[Item]:
    """The items of a folder, or of a manifest if the address ends with `.manifest`, in a stable order.

    Raises:
        Refused: `tables`, and an input is no `.csv` file.
        Invalid: there is no input, or a line of the manifest is malformed.
        NotFound, Denied, Unavailable: as storage says.
    """
    found = (
        _of_manifest(places, source, names, slash)
        if source.name.endswith(SUFFIX)
        else _of_folder(places, source, names)
    )
    empty = True
    async for item in found:
        if tables and not item.name.lower().endswith(_TABLE):
            raise Refused(
                f"{item.source.partition('?')[0]} is no {_TABLE} file, and every input of mapping type csv must be one",
                hint="leave other files out of the input, or use mapping type file",
            )
        empty = False
        yield item
    if empty:
        raise Invalid(f"there is no input in {source}", hint="hidden files do not count; is the address right?")


async def _of_folder(places: Places, source: Address, names: ResultNames) -> AsyncIterator[Item]:
    index = 0
    async for entry in places.place(source).list():
        name = entry.name.rpartition("/")[2]
        yield Item(index, str(source / entry.name), name, names.give(entry.name, index=index), entry.size)
        index += 1


async def _of_manifest(
    places: Places, source: Address, names: ResultNames, slash: Literal["bucket", "path"]
) -> AsyncIterator[Item]:
    index = 0
    async with places.open(source) as content:
        async for line in read_manifest(str(source), content.chunks, slash=slash):
            name = line.address.name
            yield Item(index, line.text, name, names.give(name, index=index))
            index += 1


async def write_manifest(
    output: Storage, outcomes: AsyncIterator[Outcome], form: ManifestForm, *, part_bytes: int = PART_BYTES
) -> list[str]:
    """Write the list of results, each of its files whole or not at all, and give their names."""
    parts = ManifestParts(form, part_bytes=part_bytes)
    written = []
    waiting: deque[bytes] = deque()
    ended = False

    async def until_next() -> AsyncIterator[bytes]:
        nonlocal ended
        while waiting:
            yield waiting.popleft()
        async for outcome in outcomes:
            line = form.line(outcome, output.address)
            if parts.begins(line):
                waiting.append(line)
                return
            yield line
        ended = True

    while not ended:
        written.append(parts.name)
        await output.write(written[-1], until_next())
    return written
