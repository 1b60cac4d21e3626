import asyncio
import contextlib

import pytest
from doubles.replicas import answer, free_port, read_head, replica
from gateway.place import SERVICE, TOKEN, gateway, route, run, share, table, until
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mooring.gateway.table import Limits


@contextlib.asynccontextmanager
async def model(handle, **options):
    """A model that speaks WebSocket; its URL as a table has it."""
    async with serve(handle, "127.0.0.1", 0, **options) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def echo(websocket):
    async for message in websocket:
        await websocket.send(message)


def dial(place, path="/chat?x=1", **options):
    headers = {"X-Auth-Token": TOKEN, **options.pop("headers", {})}
    url = f"ws://127.0.0.1:{place.port}/v1/infers/{SERVICE}{path}"
    return connect(url, additional_headers=headers, proxy=None, **options)


def in_flight(place):
    return b"mooring_gateway_in_flight{" in place.gateway.metrics()


def test_messages_of_both_kinds_go_both_ways():
    async def scene():
        async with model(echo) as url, gateway(route(share(url), websocket=True)) as place, dial(place) as client:
            for message in ("words", b"\x00bytes", "", "x" * 1_000_000):
                await client.send(message)
                assert await client.recv() == message

    run(scene())


def test_the_model_sees_the_handshake_without_credentials():
    seen = []

    async def look(websocket):
        seen.append((websocket.request.path, dict(websocket.request.headers.raw_items())))
        await websocket.send(websocket.subprotocol)

    async def scene():
        async with model(look, subprotocols=["v2"]) as url, gateway(route(share(url), websocket=True)) as place:
            more = {"headers": {"X-Mine": "1", "X-Request-Id": "id-1"}, "subprotocols": ["v1", "v2"]}
            async with dial(place, **more) as client:
                assert await client.recv() == "v2"
                assert client.subprotocol == "v2"
                assert client.response.headers["x-request-id"] == "id-1"
        ((path, headers),) = seen
        assert path == "/chat?x=1"
        assert headers["x-mine"] == "1"
        assert headers["x-request-id"] == "id-1"
        assert headers["x-forwarded-for"] == "127.0.0.1"
        assert TOKEN not in str(headers)

    run(scene())


@pytest.mark.parametrize("code", [1000, 3001])
def test_either_side_closes_with_its_own_words(code):
    heard = []

    async def until_closed(websocket):
        if await websocket.recv() == "you":
            await websocket.close(code, "that was all")
        else:
            await websocket.wait_closed()
            heard.append((websocket.close_code, websocket.close_reason))

    async def scene():
        async with (
            model(until_closed) as url,
            gateway(route(share(url), websocket=True)) as place,
            dial(place) as client,
        ):
            await client.send("you")
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert (client.close_code, client.close_reason) == (code, "that was all")
            async with dial(place) as other:
                await other.send("me")
                await other.close(code, "enough")
            await until(lambda: heard)
            assert heard == [(code, "enough")]
            await until(lambda: not in_flight(place))

    run(scene())


def test_a_model_that_dies_is_told_with_1011():
    async def dies(websocket):
        await websocket.recv()
        websocket.transport.abort()

    async def scene():
        async with model(dies) as url, gateway(route(share(url), websocket=True)) as place, dial(place) as client:
            await client.send("x")
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1011

    run(scene())


def test_a_client_that_vanishes_frees_the_model():
    closed = []

    async def listens(websocket):
        await websocket.wait_closed()
        closed.append(websocket.close_code)

    async def scene():
        async with (
            model(listens) as url,
            gateway(route(share(url), websocket=True)) as place,
            dial(place) as client,
        ):
            await until(lambda: in_flight(place))
            client.transport.abort()
            await until(lambda: closed and not in_flight(place))

    run(scene())


def test_one_that_stays_with_a_drained_replica_is_closed_at_the_limit():
    async def scene():
        limits = Limits(drain_seconds=0.3)
        async with (
            model(echo) as url,
            gateway(route(share(url), websocket=True, limits=limits)) as place,
            dial(place) as client,
        ):
            place.gateway.take(table(route(share(), websocket=True), number=2))
            await client.send("still here")
            assert await client.recv() == "still here"
            assert in_flight(place)
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001
            await until(lambda: not in_flight(place))

    run(scene())


def test_one_in_which_nothing_is_said_is_closed():
    async def scene():
        limits = Limits(answer_seconds=0.3)
        async with (
            model(echo) as url,
            gateway(route(share(url), websocket=True, limits=limits)) as place,
            dial(place) as client,
        ):
            for _ in range(4):
                await asyncio.sleep(0.15)
                await client.send("x")
                assert await client.recv() == "x"
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001

    run(scene())


def test_a_message_above_the_limit_of_bodies_is_refused():
    async def scene():
        limits = Limits(body_bytes=1000)
        async with (
            model(echo) as url,
            gateway(route(share(url), websocket=True, limits=limits)) as place,
            dial(place) as client,
        ):
            await client.send(b"x" * 1000)
            assert len(await client.recv()) == 1000
            await client.send(b"x" * 1001)
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1009

    run(scene())


def refused(status, code):
    """The client's handshake is answered with a documented error."""

    @contextlib.contextmanager
    def expectation():
        with pytest.raises(InvalidStatus) as error:
            yield
        assert error.value.response.status_code == status
        assert code in error.value.response.body

    return expectation()


def test_a_handshake_is_refused_as_a_call_would_be():
    async def scene():
        async with model(echo) as url, gateway(route(share(url), websocket=True)) as place:
            with refused(401, b"APIG.0301"):
                await dial(place, headers={"X-Auth-Token": "no"})
            place.gateway.take(table(route(share(url)), number=2))
            with refused(400, b"ModelArts.4200"):
                await dial(place)
            place.gateway.take(table(route(share(f"http://127.0.0.1:{free_port()}"), websocket=True), number=3))
            with refused(503, b"ModelArts.4302"):
                await dial(place)
            place.gateway.take(table(number=4))
            with refused(404, b"APIG.0101"):
                await dial(place)
            assert not in_flight(place)

    run(scene())


@pytest.mark.parametrize("status", ["403 Forbidden", "302 Found"])
def test_a_model_that_refuses_the_handshake_is_heard_and_leads_nowhere(status):
    async def refuses(here, reader, writer):
        here.seen.append(await read_head(reader))
        writer.write(answer(b"members only", status=status, headers=[("location", "ws://127.0.0.1:9/")]))
        await writer.drain()

    async def scene():
        async with replica(refuses) as here, gateway(route(share(here.url), websocket=True)) as place:
            with refused(int(status[:3]), b"members only"):
                connecting = dial(place)
                connecting.process_redirect = lambda error: error
                await connecting
            assert len(here.seen) == 1

    run(scene())


def test_a_client_that_does_not_read_holds_the_model_back():
    sent = 0

    async def floods(websocket):
        nonlocal sent
        while True:
            await websocket.send(b"x" * 100_000)
            sent += 100_000

    async def scene():
        async with (
            model(floods) as url,
            gateway(route(share(url), websocket=True)) as place,
            dial(place, max_queue=1, close_timeout=0.1) as client,
        ):
            before = -1
            while before != sent:
                before = sent
                await asyncio.sleep(0.3)
            assert sent < 64 << 20
            client.transport.abort()
            await until(lambda: not in_flight(place))

    run(scene())
