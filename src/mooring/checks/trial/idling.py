"""A connection that is kept open and left alone: whether it can still be used."""

from __future__ import annotations

import contextlib
import re
import select
import time
from typing import TYPE_CHECKING

from mooring.checks.trial.sightings import Idle
from mooring.engine.wire import Connection, Reply, Request, exchange_on

if TYPE_CHECKING:
    import threading

    from mooring.engine.wire import Target

ANSWER_SECONDS = 5.0
# A server that will close after its answer does so at once.
SETTLE_SECONDS = 0.3


def idle(target: Target, url: str, *, seconds: float, wanted_seconds: float, stop: threading.Event) -> Idle | None:
    """Ask once, leave the connection alone for so long, and ask again; None when `stop` is set before that.

    OSError when no connection can be made. A server that closes is noticed when it does.
    """
    request = Request("GET", url)
    with contextlib.closing(Connection(target, timeout_seconds=ANSWER_SECONDS)) as connection:
        first = _ask(connection, target, request)
        began = time.monotonic()
        closes = not first.answered or first.closing or _closed(connection, SETTLE_SECONDS)
        usable = not closes
        while usable and (left := began + seconds - time.monotonic()) > 0:
            usable = not _closed(connection, min(left, 0.5))
            if stop.is_set():
                return None
        watched = time.monotonic() - began
        usable = usable and _ask(connection, target, request).answered
    return Idle(
        seconds=0.0 if closes else watched,
        usable=usable,
        closes=closes,
        announced_seconds=_announced(first),
        server=first.headers.get("server", ""),
        wanted_seconds=wanted_seconds,
    )


def _ask(connection: Connection, target: Target, request: Request) -> Reply:
    return exchange_on(connection, target, request, deadline=time.monotonic() + ANSWER_SECONDS, keep=True)


def _closed(connection: Connection, seconds: float) -> bool:
    """Whether the server hangs up within that time: nothing else is to be read from an idle connection."""
    poll = select.poll()
    poll.register(connection.socket, select.POLLIN)
    if not poll.poll(seconds * 1000):
        return False
    try:
        connection.socket.settimeout(0.1)
        return not connection.socket.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


def _announced(reply: Reply) -> float | None:
    """The seconds that a Keep-Alive header promises."""
    found = re.search(r"timeout\s*=\s*(\d+)", reply.headers.get("keep-alive", ""), re.IGNORECASE)
    return float(found[1]) if found else None
