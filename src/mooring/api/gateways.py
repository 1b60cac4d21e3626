"""Control's side of the link to gateways outside this process; ours. Both paths take a gateway's own token."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import Response as PlainResponse

from mooring.api.leniency import Whole
from mooring.api.platform import Held
from mooring.api.service_answers import Nothing
from mooring.control.page import whole
from mooring.gateway.wire import report_from_json, table_to_json

router = APIRouter(prefix="/gateway", tags=["gateways"])
_OBJECT = {"application/json": {"schema": {"type": "object"}}}
_TABLE: dict[int | str, dict[str, Any]] = {200: {"description": "The table.", "content": _OBJECT}}


@router.get("/table", operation_id="ShowTable", responses=_TABLE, response_class=PlainResponse)
async def table(platform: Held, after: Annotated[Whole, Query()] = 0) -> Response:
    """The newest table, once its number is above `after`; the same again after some twenty seconds.

    It holds secrets: whoever has it can check, and so make, every signature.
    """
    found = await platform.gateways.table(after=whole("after", after))
    return Response(table_to_json(found), media_type="application/json")


@router.post("/report", operation_id="ReportGateway", openapi_extra={"requestBody": {"content": _OBJECT}})
async def report(platform: Held, request: Request) -> Nothing:
    """What a gateway has in flight, and what it counted since its last report; counted once however often it comes."""
    await platform.gateways.report(report_from_json(await request.body()))
    return Nothing()
