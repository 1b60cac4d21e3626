"""The parent's main loop: listen, serve, look after the children, drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from typing import TYPE_CHECKING

import uvloop

from mooring_serve.app import App
from mooring_serve.drain import Drain
from mooring_serve.listener import Listener, listen
from mooring_serve.logs import log
from mooring_serve.metrics import Metrics

if TYPE_CHECKING:
    import socket

    from mooring_serve.config import Config
    from mooring_serve.pool import Pool
    from mooring_serve.settings import Settings

_REAP_SECONDS = 1.0


def run(config: Config, settings: Settings, pool: Pool) -> int:
    """Serve until a signal ends it; the exit code: 0 when every request was answered, else 1.

    Raises:
        OSError: the address cannot be listened on.
    """
    sock = listen(settings.host, settings.port)
    loop = uvloop.new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(_serve(sock, config, settings, pool))
    finally:
        loop.close()


async def _serve(sock: socket.socket, config: Config, settings: Settings, pool: Pool) -> int:
    metrics = Metrics()
    metrics.gauge("mooring_requests_in_flight", "Calls waiting or with a worker", lambda: pool.in_flight)
    metrics.gauge("mooring_queue_length", "Calls waiting for a worker", lambda: pool.waiting)
    metrics.gauge(
        "mooring_workers_ready", "Workers with a loaded model", lambda: sum(one.ready for one in pool.members)
    )
    app = App(config, settings, pool, metrics)
    listener = Listener(app, settings)
    drain = Drain(app, listener, pool, settings)
    drain.watch()
    await pool.start(metrics.restarts.inc)
    reaper = asyncio.create_task(_reap(pool)) if os.getpid() == 1 else None
    address = sock.getsockname()
    await listener.open(sock)
    log("INFO", "listening", host=address[0], port=address[1], apis=len(config.apis), workers=settings.workers)
    # What is loaded now stays for good, and a request leaves no cycles: the collector need not look often.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    await drain.finished.wait()
    if reaper is not None:
        reaper.cancel()
    await pool.close()
    log("INFO", "stopped", unfinished=drain.unfinished)
    return 1 if drain.unfinished else 0


async def _reap(pool: Pool) -> None:
    """As process 1, take the exit codes of orphans, which nobody else will."""
    while True:
        await asyncio.sleep(_REAP_SECONDS)
        workers = {member.pid for member in pool.members}
        with contextlib.suppress(ChildProcessError):
            while (told := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if told.si_pid in workers:
                    break  # its own keeper asks for it
                os.waitpid(told.si_pid, 0)
