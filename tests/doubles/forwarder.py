"""Stands before a server, to be killed as one: `python forwarder.py PORT SERVER_PORT`, both of loopback."""

import asyncio
import contextlib
import sys


async def pass_on(reader, writer):
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def main(port, server_port):
    async def visit(reader, writer):
        try:
            there, answering = await asyncio.open_connection("127.0.0.1", server_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pass_on(reader, answering), pass_on(there, writer))

    server = await asyncio.start_server(visit, "127.0.0.1", port)
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
