import asyncio
import socket

import httpx
import pytest
from doubles.replicas import answer, body_pieces, free_port, read_head, replica, says, waits
from gateway.place import error, gateway, route, run, share, table, until

from mooring.gateway import breaker
from mooring.gateway.table import Limits

CALLS = 40


def nowhere():
    return f"http://127.0.0.1:{free_port()}"


def test_a_replica_that_is_gone_costs_no_call_while_another_is_there():
    async def scene():
        async with replica() as model, gateway(route(share(nowhere(), model.url))) as place:
            for _ in range(CALLS):
                response = await place.post(content=b"x")
                assert response.status_code == 200
            assert len(model.seen) == CALLS

    run(scene())


def test_no_replica_that_listens_is_told_as_unavailable():
    async def scene():
        async with gateway(route(share(nowhere(), nowhere()))) as place:
            response = await place.post(content=b"x")
            assert error(response) == (503, "ModelArts.4302", "container")
            assert response.headers["retry-after"] == "1"

    run(scene())


def test_a_replica_that_does_not_take_connections_is_told_as_timed_out():
    async def scene():
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            taken = [socket.socket() for _ in range(4)]
            for one in taken:
                one.setblocking(False)
                one.connect_ex(address)
            limits = Limits(connect_seconds=0.3)
            async with gateway(route(share(f"http://127.0.0.1:{address[1]}"), limits=limits)) as place:
                response = await place.post(content=b"x")
                assert error(response) == (408, "ModelArts.4205", "container")
            for one in taken:
                one.close()

    run(scene())


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["nothing", "half a head", "a note only"],
)
def test_a_replica_that_dies_before_its_answer_is_told_and_the_call_is_not_made_twice(said):
    async def scene():
        async with (
            replica(says(said, close=True)) as dying,
            replica(says(said, close=True)) as other,
            gateway(route(share(dying.url, other.url))) as place,
        ):
            response = await place.post(content=b"x")
            assert error(response) == (500, "ModelArts.4503", "container")
            assert len(dying.seen) + len(other.seen) == 1

    run(scene())


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nxx\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nha",
    ],
    ids=["by length", "between chunks", "a bad chunk", "within a chunk"],
)
def test_an_answer_that_breaks_off_never_looks_whole(said, caplog):
    async def scene():
        async with replica(says(said, close=True)) as model, gateway(route(share(model.url))) as place:
            with pytest.raises(httpx.HTTPError):
                await place.post(content=b"x")
            assert (await place.talk(place.head(headers=[("Content-Length", "0")]))).count(b"HTTP/1.1") == 1

    run(scene())
    assert [record for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\ncontent-length: 1\r\n\r\na",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 400_000,
    ],
    ids=["not HTTP", "two lengths", "length and chunks", "gzip coding", "folded", "101", "999", "endless head"],
)
def test_an_answer_that_is_no_http_is_told_and_its_connection_not_used_again(said):
    async def scene():
        async with replica(says(said)) as model, gateway(route(share(model.url))) as place:
            response = await place.post(content=b"x")
            assert error(response) == (500, "ModelArts.4503", "container")
            await until(lambda: model.open == 0)

    run(scene())


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"junk"])
def test_what_a_replica_says_unasked_is_never_the_answer_to_the_next_call(extra):
    async def scene():
        async with replica(says(answer(b"mine") + extra)) as model, gateway(route(share(model.url))) as place:
            for _ in range(5):
                response = await place.post(content=b"x")
                assert response.content == b"mine"
            assert model.connections == 5

    run(scene())


def test_what_a_replica_says_late_is_never_the_answer_to_the_next_call():
    async def late(here, reader, writer):
        await read_head(reader)
        writer.write(answer(b"mine"))
        await asyncio.sleep(0.02)
        writer.write(answer(b"evil"))
        await reader.read()

    async def scene():
        async with replica(late) as model, gateway(route(share(model.url))) as place:
            for _ in range(3):
                assert (await place.post()).content == b"mine"
                await until(lambda: model.open == 0)

    run(scene())


def test_a_replica_that_does_not_answer_in_time_is_told_and_let_go():
    async def scene():
        gate = asyncio.Event()
        limits = Limits(answer_seconds=0.3)
        async with replica(waits(gate)) as model, gateway(route(share(model.url), limits=limits)) as place:
            response = await place.post(content=b"x")
            assert error(response) == (504, "ModelArts.4503", "container")
            await until(lambda: model.lost == 1)

    run(scene())


def test_an_answer_that_keeps_coming_may_take_longer_than_the_limit():
    async def drips(here, reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")
        for _ in range(6):
            await asyncio.sleep(0.15)
            writer.write(b"x")

    async def stalls(here, reader, writer):
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nxxx")
        await reader.read()

    async def scene():
        limits = Limits(answer_seconds=0.4)
        async with replica(drips) as model, gateway(route(share(model.url), limits=limits)) as place:
            assert (await place.post()).content == b"xxxxxx"
        async with replica(stalls) as model, gateway(route(share(model.url), limits=limits)) as place:
            with pytest.raises(httpx.RemoteProtocolError):
                await place.post()

    run(scene())


def test_a_slow_upload_does_not_count_as_a_slow_answer():
    async def scene():
        limits = Limits(answer_seconds=0.2)
        async with replica() as model, gateway(route(share(model.url), limits=limits)) as place:
            reader, writer = await place.open()
            writer.write(place.head(headers=[("Content-Length", "4")]))
            for _ in range(4):
                writer.write(b"x")
                await asyncio.sleep(0.15)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    run(scene())


def test_a_client_that_hangs_up_frees_the_replica():
    async def scene():
        gate = asyncio.Event()
        async with replica(waits(gate)) as model, gateway(route(share(model.url))) as place:
            _, writer = await place.open()
            writer.write(place.head(headers=[("Content-Length", "0")]))
            await until(lambda: model.seen)
            writer.close()
            await until(lambda: model.lost == 1)
            assert b"mooring_gateway_in_flight{" not in place.gateway.metrics()

    run(scene())


def test_a_client_that_hangs_up_within_its_body_frees_the_replica():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            _, writer = await place.open()
            writer.write(place.head(headers=[("Content-Length", "100")]) + b"x" * 50)
            await until(lambda: model.open)
            writer.close()
            await until(lambda: not model.open)
            assert model.seen == []

    run(scene())


class TestKeptConnections:
    def test_calls_share_a_connection(self):
        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                for _ in range(20):
                    assert (await place.post(content=b"x")).status_code == 200
                assert model.connections == 1

        run(scene())

    def test_a_replica_that_closes_after_each_answer_without_saying_so_loses_no_call(self):
        async def scene():
            async with replica(says(answer(b"ok"), close=True)) as model, gateway(route(share(model.url))) as place:
                for _ in range(CALLS):
                    assert (await place.post(content=b"x")).content == b"ok"
                assert len(model.seen) == CALLS

        run(scene())

    def test_an_idle_connection_is_closed_by_the_gateway_first(self):
        async def scene():
            limits = Limits(keep_alive_seconds=0.2)
            async with replica() as model, gateway(route(share(model.url), limits=limits)) as place:
                await place.post(content=b"x")
                await asyncio.sleep(0.3)
                await place.post(content=b"x")
                assert model.connections == 2

        run(scene())

    def test_a_replica_that_left_the_table_is_let_go_of(self):
        async def scene():
            async with replica() as model, gateway(route(share(model.url))) as place:
                await place.post(content=b"x")
                assert model.open == 1
                place.gateway.take(table(route(share()), number=2))
                await until(lambda: model.open == 0)

        run(scene())

    def test_a_call_in_flight_survives_the_table_that_takes_its_replica_away(self):
        async def scene():
            gate = asyncio.Event()
            async with replica(waits(gate)) as model, gateway(route(share(model.url))) as place:
                call = asyncio.create_task(place.post(content=b"x"))
                await until(lambda: model.seen)
                place.gateway.take(table(route(share()), number=2))
                gate.set()
                assert (await call).content == b"late"

        run(scene())


class TestCircuit:
    def test_a_replica_that_fails_again_and_again_is_passed_over_and_tried_again_later(self, monkeypatch):
        monkeypatch.setattr(breaker, "FIRST_PAUSE_SECONDS", 0.3)

        async def scene():
            fails = True

            async def moody(here, reader, writer):
                seen = await read_head(reader)
                here.seen.append(seen)
                async for _ in body_pieces(reader, seen):
                    pass
                if not fails:
                    writer.write(answer(b"well again"))
                    await writer.drain()

            async with (
                replica(moody) as sick,
                replica() as well,
                gateway(route(share(sick.url, well.url), load_balancer_policy="ROUND_ROBIN")) as place,
            ):
                codes = [(await place.post(content=b"x")).status_code for _ in range(30)]
                assert codes.count(500) == breaker.FAILURES_TO_OPEN
                fails = False
                await asyncio.sleep(0.35)
                codes = [(await place.post(content=b"x")).status_code for _ in range(10)]
                assert codes == [200] * 10
                assert len(sick.seen) == breaker.FAILURES_TO_OPEN + 5

        run(scene())

    def test_the_last_replica_is_tried_however_often_it_failed(self):
        async def scene():
            async with replica(says(b"", close=True)) as model, gateway(route(share(model.url))) as place:
                for _ in range(10):
                    assert (await place.post(content=b"x")).status_code == 500
                assert len(model.seen) == 10

        run(scene())

    def test_errors_that_a_model_answers_do_not_count(self):
        async def scene():
            said = answer(b"bad", status="500 Oops")
            async with (
                replica(says(said)) as one,
                replica(says(said)) as two,
                gateway(route(share(one.url, two.url), load_balancer_policy="ROUND_ROBIN")) as place,
            ):
                for _ in range(20):
                    assert (await place.post(content=b"x")).status_code == 500
                assert len(one.seen) == len(two.seen) == 10

        run(scene())


def test_calls_spread_over_versions_by_weight_and_over_replicas_by_load():
    async def scene():
        async with replica() as old, replica() as new, replica() as new_too:
            shares = (share(old.url, weight=25), share(new.url, new_too.url, model="model-2", weight=75, first=1))
            lots = iter([(index + 0.5) / 40 for index in range(40)])
            async with gateway(route(*shares), lot=lambda: next(lots)) as place:
                for _ in range(40):
                    await place.post(content=b"x")
                assert len(old.seen) == 10
                assert len(new.seen) == len(new_too.seen) == 15

    run(scene())


def test_a_busy_replica_gets_no_call_while_an_idle_one_is_there():
    async def scene():
        gate = asyncio.Event()
        async with (
            replica(waits(gate)) as busy,
            replica() as idle,
            gateway(route(share(busy.url, idle.url)), lot=lambda: 0.0) as place,
        ):
            first = asyncio.create_task(place.post(content=b"x"))
            await until(lambda: busy.seen)
            for _ in range(10):
                assert (await place.post(content=b"x")).status_code == 200
            assert len(busy.seen) == 1
            gate.set()
            await first

    run(scene())
