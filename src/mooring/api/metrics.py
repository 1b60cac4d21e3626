"""The gateway's figures for Prometheus: to programs on this machine, and to whoever runs the platform."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response

from mooring.api.operator import require_operator
from mooring.api.platform import PRINCIPAL, Held

FORM = "text/plain; version=0.0.4; charset=utf-8"


def metrics_route(metrics: Callable[[], bytes]) -> APIRouter:
    """The path of these figures. They name services of all projects."""
    router = APIRouter(tags=["platform"])
    text = {"description": "Prometheus' text format.", "content": {FORM: {"schema": {"type": "string"}}}}

    @router.get("/metrics", operation_id="ShowMetrics", response_class=Response, responses={200: text})
    async def show(platform: Held, request: Request) -> Response:
        """The gateway's figures."""
        # Without a caller, the door let a program of this machine in.
        if PRINCIPAL in request.scope:
            await asyncio.to_thread(require_operator, platform, request.scope[PRINCIPAL])
        # On the loop, where the figures change.
        return Response(metrics(), media_type=FORM)

    return router
