"""The API as one ASGI application, and the whole of what a platform's address answers."""

from collections.abc import Callable

from fastapi import FastAPI

import mooring
from mooring.api import (
    auth,
    batch,
    container_logs,
    failing,
    gateways,
    keys,
    models,
    monitoring,
    openapi,
    pages,
    projects,
    services,
    specifications,
)
from mooring.api.door import App, Door, Message, Receive, Send
from mooring.api.metrics import metrics_route
from mooring.api.platform import Platform
from mooring.gateway.app import Gateway

INFERS = "/v1/infers"
# A path is looked for in this order: the names that could be ids stand before the ids.
ROUTERS = (
    pages.router,
    auth.router,
    projects.router,
    specifications.router,
    monitoring.router,
    container_logs.router,
    batch.router,
    services.router,
    models.router,
    keys.router,
    gateways.router,
)


def application(platform: Platform, *, metrics: Callable[[], bytes] | None = None) -> FastAPI:
    """The management API of a platform; `metrics` gives what `/metrics` answers, without it there is none."""
    app = FastAPI(
        title="Mooring",
        version=mooring.__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        strict_content_type=False,
    )
    app.state.platform = platform
    failing.teach(app)
    for router in ROUTERS:
        app.include_router(router)
    if metrics is not None:
        app.include_router(metrics_route(metrics))
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]  # FastAPI's own way to have another
    app.add_middleware(Door, platform=platform)
    return app


def root(platform: Platform, gateway: Gateway) -> App:
    """What a platform's address answers: calls for services by the gateway, all else by the API."""
    app = application(platform, metrics=gateway.metrics)

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path == INFERS or path.startswith(f"{INFERS}/"):
            await gateway(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no WebSockets here"})
        else:
            await app(scope, receive, send)

    return serve
