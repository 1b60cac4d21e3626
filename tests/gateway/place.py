"""A gateway in front of replicas, under the server that it runs under, and what a client needs to call it."""

import asyncio
import contextlib
import hashlib
import json
import socket

import httpx
import uvicorn
import uvloop

from mooring.gateway.app import Gateway
from mooring.gateway.listener import server_options
from mooring.gateway.table import Callers, Limits, Principal, Route, Share, Table, Target, Token

TOKEN = "made-up-token"
SERVICE = "11111111-2222-3333-4444-555555555555"
PROJECT = "0123456789abcdef0123456789abcdef"


def run(coroutine, *, seconds=60):
    """Run a test's coroutine on the loop that production has, for a minute at most."""

    async def bounded():
        async with asyncio.timeout(seconds):
            return await coroutine

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(bounded())


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def callers(**more):
    tokens = {sha(TOKEN): Token(Principal(PROJECT, "ann", "key-1"))}
    return Callers(tokens=tokens, **more)


def share(*urls, model="model-1", weight=100, first=0):
    targets = tuple(Target(f"replica-{first + index}", url) for index, url in enumerate(urls))
    return Share(model_id=model, model_name="mnist", model_version="1.0.0", weight=weight, targets=targets)


def route(*shares, service=SERVICE, project=PROJECT, status="running", limits=None, **more):
    return Route(
        service_id=service,
        service_name="digits",
        project_id=project,
        status=status,
        shares=shares,
        limits=limits or Limits(answer_seconds=10),
        **more,
    )


def table(*routes, number=1, who=None):
    return Table(number=number, routes={one.service_id: one for one in routes}, callers=who or callers())


class Place:
    """Where a gateway is reached, and a client for it that identifies itself."""

    def __init__(self, gateway, port):
        self.gateway = gateway
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.infer = f"{self.url}/v1/infers/{SERVICE}"
        self.client = httpx.AsyncClient(headers={"X-Auth-Token": TOKEN}, timeout=30, trust_env=False)

    async def post(self, path="", **what):
        return await self.client.post(self.infer + path, **what)

    async def get(self, path="", **what):
        return await self.client.get(self.infer + path, **what)

    def head(self, path="", *, method="POST", headers=()):
        """The bytes of a request's head, for clients that speak for themselves."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return (
            f"{method} /v1/infers/{SERVICE}{path} HTTP/1.1\r\nHost: gw\r\nX-Auth-Token: {TOKEN}\r\n{lines}\r\n"
        ).encode()

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def talk(self, data):
        """Everything that comes back until the gateway closes."""
        reader, writer = await self.open()
        writer.write(data)
        try:
            return await reader.read()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def listening(app):
    """Serve an application as production does; its port."""
    config = uvicorn.Config(app, lifespan="off", **server_options())
    server = uvicorn.Server(config)
    bare = socket.socket()
    bare.bind(("127.0.0.1", 0))
    serving = asyncio.create_task(server._serve([bare]))
    async with asyncio.timeout(5):
        while not server.started:
            await asyncio.sleep(0.005)
    try:
        yield bare.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await serving
        bare.close()


@contextlib.asynccontextmanager
async def gateway(*routes, link=None, who=None, **options):
    """A gateway with these routes."""
    app = Gateway(link, **options)
    if routes:
        app.take(table(*routes, who=who))
    async with listening(app) as port:
        place = Place(app, port)
        try:
            yield place
        finally:
            await place.client.aclose()


def error(response):
    """The code of an error and who failed, as the client sees it."""
    body = json.loads(response.content)
    assert set(body) == {"error_code", "error_msg"}
    return response.status_code, body["error_code"], response.headers["x-mooring-error-source"]


async def until(condition, *, seconds=5):
    """Wait for what is about to be true."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)
