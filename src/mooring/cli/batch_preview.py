"""What a batch service would send first, made here by the same code that makes it there."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from mooring.batch.listing import items_of
from mooring.batch.mapping import Mapping
from mooring.batch.naming import ResultNames
from mooring.batch.requests import FileRequests, Inputs, RowRequests
from mooring.cli import platform
from mooring.cli.batch_wish import CSV
from mooring.contract import edition
from mooring.errors import MooringError
from mooring.storage import Places, StorageSettings, parse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from mooring.batch.item import Item
    from mooring.cli.batch_wish import Way

REQUESTS = 3
# Only results are named by it, and none is shown.
ANY_EDITION = "otc-2025"
SHOWN_CHARACTERS = 2000


def preview(source: str, way: Way) -> list[dict[str, Any]]:
    """The first requests, each with its `source`; in place of one that cannot be made, its `error`.

    The input is read from here, with what MOORING_STORAGE_* say. Raises what storage raises.
    """
    return asyncio.run(_first(source, way))


async def _first(source: str, way: Way) -> list[dict[str, Any]]:
    places = Places(StorageSettings.from_environment())
    inputs = Inputs(places)
    names = ResultNames(edition(ANY_EDITION))
    told: list[dict[str, Any]] = []
    listed: AsyncIterator[Item] = items_of(places, parse(source), names, tables=way.mapping == CSV)
    async for item in listed:
        made_of = _of_rows if way.mapping == CSV else _of_file
        async with contextlib.aclosing(made_of(inputs, item, way)) as made:
            async for one in made:
                told.append(one)
                if len(told) == REQUESTS:
                    return told
    return told


async def _of_file(inputs: Inputs, item: Item, way: Way) -> AsyncGenerator[dict[str, Any], None]:
    told = {"source": item.source}
    try:
        request = await FileRequests(inputs, way.field).request(item)
    except MooringError as error:
        yield told | {"error": error.message}
        return
    kind = request.content_type.partition(";")[0]
    yield told | _line(way, kind, request.length) | {"form": {way.field: f"@{item.name}"}}


async def _of_rows(inputs: Inputs, item: Item, way: Way) -> AsyncGenerator[dict[str, Any], None]:
    requests = RowRequests(inputs, Mapping(way.rule))
    try:
        async with contextlib.aclosing(requests.rows(item)) as rows:
            async for row, request in rows:
                told = {"source": item.source, "row": row.number, "line": row.line}
                if isinstance(request, MooringError):
                    yield told | {"error": request.message}
                else:
                    body = request.body if isinstance(request.body, bytes) else b""
                    yield told | _line(way, request.content_type, request.length) | {"body": body.decode()}
    except MooringError as error:
        yield {"source": item.source, "error": error.message}


def _line(way: Way, kind: str, length: int) -> dict[str, Any]:
    return {"method": "POST", "url": way.api.url, "content_type": kind, "bytes": length}


def show(requests: list[dict[str, Any]]) -> None:
    """The requests, for a person."""
    for one in requests:
        row = f", row {one['row']}" if "row" in one else ""
        platform.say(f"{one['source']}{row}")
        if "error" in one:
            platform.say(f"  ! {one['error']}")
            continue
        platform.say(f"  {one['method']} {one['url']}  {one['content_type']}, {one['bytes']:,} bytes")
        for field, value in one.get("form", {}).items():
            platform.say(f"  {field}={value}")
        if "body" in one:
            platform.say(f"  {one['body'][:SHOWN_CHARACTERS]}")
