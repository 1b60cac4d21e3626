"""What the containers of a service wrote, over REST; ours: the v1 API has no path for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from mooring.api.leniency import Flag, Whole
from mooring.api.platform import Caller, Held
from mooring.control.page import whole

router = APIRouter(prefix="/v1/{project_id}/services", tags=["extensions"])
TAIL = 1000
LINES, EVENTS = "application/x-ndjson", "text/event-stream"


class LogQuery(BaseModel):
    """Which lines: later than `since` (ms), the last `tail`, of one `replica`; `follow` goes on with new ones."""

    replica: str | None = Field(None, pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    since: Whole | None = None
    tail: Whole | None = Field(None, description=f"{TAIL} unless `since` is given.")
    follow: Flag = False


_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON object a line; with `Accept: text/event-stream` one an event.",
        "content": {LINES: {"schema": {"type": "string"}}, EVENTS: {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/{service_id}/container-logs",
    operation_id="ShowContainerLogs",
    response_class=StreamingResponse,
    responses=_CONTENT,
)
async def container_logs(
    caller: Caller, platform: Held, service_id: str, query: Annotated[LogQuery, Query()], request: Request
) -> StreamingResponse:
    """What a service's containers wrote, oldest first, also of those that are gone."""
    view = await asyncio.to_thread(platform.services.get, caller, service_id)
    since = None if query.since is None else _time(query.since)
    tail = query.tail if query.tail is not None or since is not None else TAIL
    lines = platform.logs.read(
        view.id,
        replica=query.replica,
        since_ms=since,
        tail=None if tail is None else whole("tail", tail),
        follow=query.follow,
    )
    events = EVENTS in request.headers.get("accept", "")
    return StreamingResponse(_told(lines, events=events), media_type=EVENTS if events else LINES)


async def _told(lines: AsyncIterator[dict[str, Any]], *, events: bool) -> AsyncIterator[bytes]:
    async for line in lines:
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")
        yield b"data: " + text + b"\n\n" if events else text + b"\n"


def _time(since_ms: int) -> int:
    """A time that there is."""
    return min(since_ms, 253_402_300_799_000)  # the end of the year 9999
