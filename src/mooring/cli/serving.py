"""All of `mooring up`: control, the API and the gateway in one process, from the first look to the last goodbye."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
import uvicorn
import uvloop

from mooring.api.app import root
from mooring.control.platform import Platform
from mooring.gateway.app import Gateway
from mooring.gateway.listener import server_options
from mooring.gateway.standalone import Server, address, listening

if TYPE_CHECKING:
    import socket

    from mooring.control.settings import Settings

GRACE_SECONDS = 30


def up(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        Conflict: another platform has this data folder or database.
        Unavailable: the address, the database or the engine is not to be had.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    host, port = address(settings.listen)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, host, port))


async def _serve(settings: Settings, host: str, port: int) -> None:
    platform = await Platform.open(settings)
    async with platform:
        with listening(host, port) as bare:
            platform.settings = replace(settings, listen=f"{host}:{bare.getsockname()[1]}")
            # Reports are numbered from 1 by each process, so each has an id of its own.
            gateway = Gateway(platform.gateways, gateway_id=f"embedded-{secrets.token_hex(4)}")
            config = uvicorn.Config(
                root(platform, gateway),
                lifespan="off",
                timeout_graceful_shutdown=GRACE_SECONDS,
                **server_options(),
            )
            _tell(platform, host, bare)
            await _until_told(Server(config), bare, platform, gateway)
    typer.echo("mooring is down; what it runs goes on, and mooring up takes it up again", err=True)


async def _until_told(server: Server, bare: socket.socket, platform: Platform, gateway: Gateway) -> None:
    """Serve until told to end; should the platform have to end for a reason of its own, that reason is raised."""
    # What was imported stays for good: a full collection need not look at it while somebody waits for an answer.
    gc.collect()
    gc.freeze()
    acting = asyncio.create_task(_act(platform, gateway))
    serving = asyncio.create_task(server.serve(sockets=[bare]))
    try:
        await asyncio.wait((acting, serving), return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        if acting.done():
            acting.result()
    finally:
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)


async def _act(platform: Platform, gateway: Gateway) -> None:
    await asyncio.gather(platform.run(), gateway.run())


def _tell(platform: Platform, host: str, bare: socket.socket) -> None:
    shown = f"[{host}]" if ":" in host else host
    settings = platform.settings
    url = settings.public_url or f"http://{shown}:{bare.getsockname()[1]}"
    typer.echo(f"mooring is up at {url} (engine {platform.engine.name}, edition {settings.edition})", err=True)
    typer.echo(f"  data   {settings.data}", err=True)
    typer.echo(f"  API    {url}/docs", err=True)
    if platform.first_token is not None:
        typer.echo(f"  token  {platform.first_token.secret}", err=True)
        typer.echo("         shown this once; the commands here find it in the data folder", err=True)
    if not _is_loopback(host):
        typer.echo("  others can reach it, without TLS: put a proxy with TLS before it, or tokens are seen", err=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
