"""A gateway as a process of its own. MOORING_TEST_FLOW_MB says how large the bodies are that must not fill it."""

import asyncio
import os
import stat

import httpx
import pytest
from doubles.replicas import body_pieces, counts, free_port, read_head, replica, waits
from gateway.control_place import KEY, Control, process
from gateway.place import route, run, share, table, until

from mooring.errors import Invalid
from mooring.gateway.standalone import address, read_cache, write_cache
from mooring.gateway.table import Limits

FLOW = int(os.environ.get("MOORING_TEST_FLOW_MB", "200")) << 20
PIECE = b"x" * (1 << 18)


def away():
    return f"http://127.0.0.1:{free_port()}"


def test_it_serves_by_controls_table_and_reports(tmp_path):
    async def scene():
        async with replica() as model:
            control = Control(table(route(share(model.url)), number=7))
            async with control.running() as url, process(url, tmp_path / "table", table=7) as place:
                assert (await place.post(content=b"hi")).content == b"hi"
                await until(lambda: any(report.counts for report in control.reports))
                assert control.reports[-1].table == 7
                control.current = table(number=8)
                async with asyncio.timeout(5):
                    while (await place.post(content=b"hi")).status_code != 401 and await place.health() != 8:
                        await asyncio.sleep(0.02)
                assert (await place.post(content=b"hi")).status_code == 404

    run(scene())


def test_it_starts_and_serves_with_its_last_table_while_control_is_away(tmp_path):
    cache = tmp_path / "kept" / "table.json"

    async def scene():
        async with replica() as model:
            control = Control(table(route(share(model.url)), number=7))
            async with control.running() as url, process(url, cache, table=7):
                await until(cache.exists)
            async with process(away(), cache, table=7) as place:
                assert (await place.post(content=b"hi")).content == b"hi"
        assert stat.S_IMODE(cache.stat().st_mode) == 0o600
        assert [one.name for one in cache.parent.iterdir()] == ["table.json"]

    run(scene())


def test_two_of_them_serve_side_by_side_and_count_apart(tmp_path):
    async def scene():
        async with replica() as model:
            control = Control(table(route(share(model.url)), number=7))
            async with (
                control.running() as url,
                process(url, tmp_path / "one", table=7) as one,
                process(url, tmp_path / "two", table=7) as two,
            ):
                for place in (one, two):
                    for _ in range(3):
                        assert (await place.post(content=b"x")).status_code == 200
                counted = {}
                async with asyncio.timeout(5):
                    while sum(counted.values()) < 6:
                        await asyncio.sleep(0.05)
                        numbered = {(report.gateway_id, report.number): report for report in control.reports}
                        counted = {}
                        for (name, _), report in numbered.items():
                            calls = sum(count.calls for count in report.counts)
                            counted[name] = counted.get(name, 0) + calls
                assert sorted(counted.values()) == [3, 3]

    run(scene())


def test_a_call_in_flight_is_answered_after_sigterm_and_then_it_ends(tmp_path):
    async def scene():
        gate = asyncio.Event()
        async with replica(waits(gate)) as model:
            write_cache(tmp_path / "table", table(route(share(model.url)), number=7))
            async with process(away(), tmp_path / "table", table=7) as place:
                call = asyncio.create_task(place.post(content=b"x"))
                await until(lambda: model.seen)
                place.stop()
                async with asyncio.timeout(5):
                    while True:
                        try:
                            _, writer = await place.open()
                        except OSError:
                            break
                        writer.close()
                        await asyncio.sleep(0.02)
                gate.set()
                assert (await call).content == b"late"
                async with asyncio.timeout(5):
                    assert await place.process.wait() == 0

    run(scene())


def test_metrics_are_for_whoever_has_its_token(tmp_path):
    async def scene():
        write_cache(tmp_path / "table", table(number=7))
        async with process(away(), tmp_path / "table", table=7) as place:
            assert (await place.client.get(place.url + "/metrics")).status_code == 401
            said = await place.client.get(place.url + "/metrics", headers={"Authorization": f"Bearer {KEY}"})
            assert "mooring_gateway_table_number 7.0" in said.text

    run(scene())


def test_a_kept_table_that_others_could_have_written_is_not_used(tmp_path):
    cache = tmp_path / "table"
    assert read_cache(cache) is None
    write_cache(cache, table(number=7))
    assert read_cache(cache) == table(number=7)
    cache.chmod(0o644)
    assert read_cache(cache) is None
    cache.chmod(0o600)
    cache.write_text("half a ta")
    assert read_cache(cache) is None


@pytest.mark.parametrize("listen", ["8100", "host:", ":8100", "host:port", "host:70000"])
def test_an_address_that_is_none_is_refused(listen):
    with pytest.raises(Invalid):
        address(listen)
    assert address("[::1]:8100") == ("::1", 8100)


class TestLargeBodies:
    def test_an_upload_passes_and_the_gateway_stays_small(self, tmp_path):
        async def pieces():
            for _ in range(FLOW // len(PIECE)):
                yield PIECE

        async def scene():
            async with replica(counts) as model:
                write_cache(tmp_path / "table", table(route(share(model.url), limits=Limits()), number=7))
                async with process(away(), tmp_path / "table", table=7) as place:
                    before = place.memory_mib()
                    response = await place.post(content=pieces(), timeout=120)
                    assert response.content == str(FLOW).encode()
                    assert place.memory_mib() - before < 16

        run(scene(), seconds=200)

    def test_a_slow_model_holds_the_client_back(self, tmp_path):
        gate = None

        async def slow(here, reader, writer):
            seen = await read_head(reader)
            await gate.wait()
            async for piece in body_pieces(reader, seen):
                here.body_bytes += len(piece)

        async def scene():
            nonlocal gate
            gate = asyncio.Event()
            sent = 0
            async with replica(slow) as model:
                write_cache(tmp_path / "table", table(route(share(model.url), limits=Limits()), number=7))
                async with process(away(), tmp_path / "table", table=7) as place:
                    before = place.memory_mib()
                    _, writer = await place.open()
                    writer.write(place.head(headers=[("Content-Length", str(FLOW))]))

                    async def upload():
                        nonlocal sent
                        while sent < FLOW:
                            writer.write(PIECE)
                            sent += len(PIECE)
                            await writer.drain()

                    uploading = asyncio.create_task(upload())
                    await asyncio.sleep(2)
                    assert sent < 32 << 20  # what buffers of the kernel hold
                    assert place.memory_mib() - before < 16
                    gate.set()
                    await uploading
                    await until(lambda: model.body_bytes == FLOW, seconds=60)
                    writer.close()

        run(scene(), seconds=200)

    def test_an_answer_passes_to_a_slow_client_and_the_gateway_stays_small(self, tmp_path):
        async def flows(here, reader, writer):
            await read_head(reader)
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {FLOW}\r\n\r\n".encode())
            for _ in range(FLOW // len(PIECE)):
                writer.write(PIECE)
                await writer.drain()
                here.body_bytes += len(PIECE)

        async def scene():
            async with replica(flows) as model:
                write_cache(tmp_path / "table", table(route(share(model.url), limits=Limits()), number=7))
                async with process(away(), tmp_path / "table", table=7) as place:
                    before = place.memory_mib()
                    size = 0
                    timeout = httpx.Timeout(60)
                    async with place.client.stream("GET", place.infer, timeout=timeout) as response:
                        async for piece in response.aiter_raw():
                            if not size:
                                await asyncio.sleep(1)
                                assert model.body_bytes < 32 << 20
                            size += len(piece)
                    assert size == FLOW
                    assert place.memory_mib() - before < 16

        run(scene(), seconds=200)
