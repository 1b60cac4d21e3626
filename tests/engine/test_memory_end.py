"""The memory engine leaves nothing open, whoever calls one of its workloads while it ends."""

import asyncio
import contextlib
import gc
import socket
import urllib.parse

import pytest

from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.engine.workload import Workload


@pytest.mark.parametrize("turns", range(7))
def test_a_connection_that_is_taken_while_all_ends_is_closed(turns):
    async def called_at_the_end(world, line, address):
        line.connect(address)
        for _ in range(turns):
            await asyncio.sleep(0)
        await world._end()

    async def scenario(line):
        with MemoryWorld() as world:
            engine = MemoryEngine("p", world)
            await engine.apply(Workload(name="one", image="memory:ready"))
            url = urllib.parse.urlsplit((await engine.observe())["one"].url)
            await world.run(called_at_the_end(world, line, (url.hostname, url.port)))
            await engine.close()

    with socket.socket() as line:
        asyncio.run(scenario(line))
        gc.collect()
        line.settimeout(10)
        with contextlib.suppress(ConnectionResetError):  # as for one who was not even taken
            assert line.recv(1) == b""
