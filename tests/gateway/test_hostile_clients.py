import asyncio
import contextlib

import pytest
from doubles.replicas import replica
from gateway.place import SERVICE, TOKEN, gateway, route, run, share

from mooring.gateway import body, listener

HEAD = f"POST /v1/infers/{SERVICE} HTTP/1.1\r\nHost: gw\r\nX-Auth-Token: {TOKEN}\r\n".encode()
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: gw\r\n\r\n"


@pytest.mark.parametrize(
    "tail",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" + SMUGGLED,
        b"Content-Length: 5, 5\r\n\r\nhello" + SMUGGLED,
        b"Content-Length: +5\r\n\r\nhello" + SMUGGLED,
        b"Content-Length: 0x5\r\n\r\nhello" + SMUGGLED,
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
        b"X: a\r\n Content-Length: 5\r\n\r\nhello",
        b"X: a\r\n\tb\r\n\r\n",
        b"X: a\x00b\r\n\r\n",
        b"X: a\rContent-Length: 5\r\n\r\nhello",
        b"X y: a\r\n\r\n",
        b": a\r\n\r\n",
    ],
    ids=lambda tail: repr(tail[:40]),
)
def test_a_request_that_two_servers_could_read_differently_is_refused(tail):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            async with asyncio.timeout(5):
                said = await place.talk(HEAD + b"Connection: close\r\n" + tail)
            assert said.startswith(b"HTTP/1.1 400 ")
            assert b'"error_code"' in said
            assert said.count(b"HTTP/1.1 ") == 1
            assert model.seen == []

    run(scene())


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n", b"5\nhello\n0\n\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nhelloX\r\n"],
    ids=["no number", "bare line feeds", "negative", "too large", "no end"],
)
def test_a_body_in_bad_chunks_ends_the_connection_and_never_looks_whole_to_the_model(chunks):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            async with asyncio.timeout(5):
                said = await place.talk(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + chunks)
            assert b" 200 " not in said
            assert model.seen == []

    run(scene())


def test_trailers_are_no_headers_to_anyone():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            head = f"POST /v1/infers/{SERVICE} HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n"
            said = await place.talk(
                head.encode() + f"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Auth-Token: {TOKEN}\r\n\r\n".encode()
            )
            assert said.startswith(b"HTTP/1.1 401 ")
            assert model.seen == []

    run(scene())


def test_requests_sent_ahead_are_answered_in_turn():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            bodies = [str(number).encode() * 3 for number in range(10)]
            sent = b"".join(HEAD + b"Content-Length: 3\r\n\r\n" + one for one in bodies)
            reader, writer = await place.open()
            writer.write(sent)
            for one in bodies:
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(3) == one
            writer.close()

    run(scene())


def test_requests_sent_ahead_without_end_are_not_kept_without_end():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            with contextlib.suppress(ConnectionError):
                await place.talk((HEAD + b"Content-Length: 0\r\n\r\n") * 2000)
            assert len(model.seen) < 2000

    run(scene())


@pytest.mark.parametrize("size", [60_000, 70_000, 2_000_000])
def test_a_head_is_read_up_to_64_kb(size):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            reader, writer = await place.open()
            writer.write(HEAD + b"Content-Length: 0\r\nX-Large: " + b"a" * size + b"\r\n\r\n")
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 200 " if size < 65_536 else b"HTTP/1.1 431 ")
            assert len(model.seen) == (size < 65_536)
            writer.close()

    run(scene())


@pytest.mark.parametrize("target", [b"http://evil/v1/infers/", b"//evil/v1/infers/"])
def test_the_host_in_a_target_leads_nowhere(target):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            request = HEAD.replace(b"/v1/infers/", target, 1) + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
            said = await place.talk(request)
            assert said.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
            for seen in model.seen:
                assert (seen.target, seen.get("host")) == ("/", model.url.removeprefix("http://"))

    run(scene())


@pytest.mark.parametrize("request_line", [b"CONNECT a:80 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET /\xff HTTP/1.1"])
def test_targets_that_are_no_path_are_refused(request_line, caplog):
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            said = await place.talk(request_line + b"\r\nHost: gw\r\nConnection: close\r\n\r\n")
            assert said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ", b"HTTP/1.1 405 "))
            assert model.seen == []

    run(scene())
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


class TestSlowClients:
    def test_a_head_that_does_not_end_is_not_waited_for(self, monkeypatch):
        monkeypatch.setattr(listener, "HEAD_SECONDS", 0.3)

        async def drip(place, data):
            reader, writer = await place.open()
            try:
                async with asyncio.timeout(5):
                    while not reader.at_eof() and not writer.is_closing():
                        writer.write(data)
                        await asyncio.sleep(0.05)
                        if data == HEAD:
                            data = b"a"
                return await reader.read()
            except ConnectionError:
                return b""
            finally:
                writer.close()

        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                silent, slow, empty = await asyncio.gather(drip(place, b""), drip(place, HEAD), drip(place, b"\r\n"))
                assert silent == empty == b""
                assert slow == b"" or slow.startswith(b"HTTP/1.1 408 ")

        run(scene())

    @pytest.mark.parametrize("drips", [True, False])
    def test_a_body_that_does_not_come_is_not_waited_for(self, monkeypatch, drips):
        monkeypatch.setattr(body, "PATIENCE_SECONDS", 0.3)

        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                reader, writer = await place.open()
                writer.write(HEAD + b"Content-Length: 1000\r\n\r\n" + b"x")
                answered = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
                async with asyncio.timeout(5):
                    while not answered.done():
                        await asyncio.sleep(0.05)
                        if drips:
                            writer.write(b"x")
                assert (await answered).startswith(b"HTTP/1.1 408 ")
                writer.close()
                assert model.seen == []

        run(scene())

    def test_a_client_that_does_not_read_holds_the_model_back_and_is_let_go(self, monkeypatch):
        monkeypatch.setattr(listener, "STUCK_SECONDS", 0.5)
        written = 0

        async def floods(here, reader, writer):
            nonlocal written
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                written += 65536

        async def scene():
            async with replica(floods) as model, gateway(route(share(model.url))) as place:
                _, writer = await place.open()
                writer.transport.pause_reading()
                writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
                async with asyncio.timeout(5):
                    while not model.open:
                        await asyncio.sleep(0.01)
                    while model.open:
                        await asyncio.sleep(0.05)
                assert written < 64 << 20  # what buffers of the kernel hold, at both connections
                writer.close()

        run(scene())
