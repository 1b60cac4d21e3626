"""Instances of a batch job on loopback that answer, refuse, break off, are busy and die, as a test tells them."""

import asyncio
import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field

from doubles.replicas import answer, body_pieces, read_head


@dataclass
class Told:
    """What an instance was asked: bodies in order, and how many of them at a time at most."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    heads: list = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    connections: int = 0

    def count(self):
        return Counter(self.names)


BREAK_OFF = object()
# At the end of an answer: nothing comes after it, not even the end it promised.
CUT = b"\0cut"


def file_name(body):
    """The file name in a form, or "" where there is none."""
    found = re.search(rb'filename="([^"]*)"', body)
    return found[1].decode() if found else ""


def content(body):
    """The file in a form with one."""
    return body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]


@contextlib.asynccontextmanager
async def instance(behave=None, *, port=0):
    """A server; `behave(told, name, body)` gives the bytes of an answer, or BREAK_OFF; `echo` without one."""
    behave = behave or echo
    told = Told()
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        told.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while (seen := await read_head(reader)) is not None:
                body = b"".join([piece async for piece in body_pieces(reader, seen)])
                name = file_name(body)
                told.heads.append(seen)
                told.bodies.append(body)
                told.names.append(name)
                told.now += 1
                told.most = max(told.most, told.now)
                try:
                    data = await behave(told, name, body)
                finally:
                    told.now -= 1
                if data is BREAK_OFF:
                    break
                writer.write(data.removesuffix(CUT))
                await writer.drain()
                if data.endswith(CUT):
                    break
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield told
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def echo(told, name, body):
    """The file back, in JSON."""
    return answer(json.dumps({"name": name, "size": len(content(body))}).encode())


def busy(status="503 Service Unavailable", *, headers=()):
    """Too much to do."""
    return answer(b"busy", status=status, headers=headers)
