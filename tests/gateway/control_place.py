"""A gateway as the process that it is in production, and control as a small server that speaks the link over HTTP."""

import asyncio
import contextlib
import os
import signal
import sys
from urllib.parse import parse_qs, urlsplit

from doubles.replicas import answer, body_pieces, free_port, read_head, replica
from gateway.place import Place, until

from mooring.gateway.wire import report_from_json, table_to_json

KEY = "made-up-gateway-token"
START = """
import pathlib, sys
from mooring.gateway.standalone import Standalone, serve
control, listen, cache = sys.argv[1:]
serve(Standalone(control=control, token="made-up-gateway-token", listen=listen, cache=pathlib.Path(cache)))
"""


class Control:
    """What control was told, and the table that it gives."""

    def __init__(self, first):
        self.current = first
        self.reports = []

    async def serve(self, here, reader, writer):
        while (seen := await read_head(reader)) is not None:
            seen.body = b"".join([piece async for piece in body_pieces(reader, seen)])
            writer.write(await self.answer(seen))
            await writer.drain()

    async def answer(self, seen):
        if seen.get("authorization") != f"Bearer {KEY}":
            return answer(status="401 Unauthorized")
        path = urlsplit(seen.target)
        if path.path == "/gateway/report":
            self.reports.append(report_from_json(seen.body))
            return answer(b"{}")
        after = int(parse_qs(path.query)["after"][0])
        for _ in range(100):
            if self.current.number > after:
                break
            await asyncio.sleep(0.02)
        return answer(table_to_json(self.current).encode())

    @contextlib.asynccontextmanager
    async def running(self):
        async with replica(self.serve) as here:
            yield here.url


class Process(Place):
    """A running gateway process."""

    def __init__(self, process, port):
        super().__init__(None, port)
        self.process = process
        self.pid = process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)

    async def health(self):
        with contextlib.suppress(Exception):
            return (await self.client.get(self.url + "/healthz")).json()["table"]
        return None

    def memory_mib(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)


@contextlib.asynccontextmanager
async def process(control, cache, *, table):
    """Start one, and wait until it goes by this table."""
    port = free_port()
    command = (sys.executable, "-c", START, control, f"127.0.0.1:{port}", str(cache))
    running = await asyncio.create_subprocess_exec(*command)
    place = Process(running, port)
    try:
        async with asyncio.timeout(15):
            while await place.health() != table:
                await asyncio.sleep(0.05)
        yield place
    finally:
        await place.client.aclose()
        if running.returncode is None:
            running.kill()
        await running.wait()


__all__ = ["KEY", "Control", "Process", "process", "until"]
