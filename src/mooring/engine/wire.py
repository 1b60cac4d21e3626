"""One HTTP request to a server, byte by byte as we want it, and exactly what came of it."""

from __future__ import annotations

import contextlib
import http.client
import io
import select
import socket
import ssl
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from mooring.engine.probe import BODY_BYTES, Answer, Outcome, trusting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer

# Read for judging; what is longer is cut, and judged no more.
READ_BYTES = 8 << 20
# Taken in for one answer: the body may come in small chunks, but headers, trailers and false starts have an end, too.
TAKEN_BYTES = 2 * READ_BYTES
PIECE_BYTES = 256 << 10
# What TLS sends at once: one record.
TLS_PIECE_BYTES = 16 << 10
HUNG, CLOSED, REFUSED, GARBLED = "hung", "closed", "refused", "garbled"
OUTCOMES = {HUNG: Outcome.SILENT, CLOSED: Outcome.CLOSED, REFUSED: Outcome.REFUSED, GARBLED: Outcome.NOT_HTTP}
AGENT = "mooring-check"


@dataclass(frozen=True)
class Target:
    """Where a server is; `path` is put before every url."""

    host: str
    port: int
    tls: bool = False
    path: str = ""

    @classmethod
    def of(cls, url: str) -> Self:
        """The target that a URL names; its query is dropped."""
        parts = urlsplit(url)
        tls = parts.scheme.lower() == "https"
        return cls(parts.hostname or "", parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """Host and port as a Host header wants them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Request:
    """What is sent: a url that begins with '/', its query in it; Host and Content-Length are added where missing."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: bytes | None = None

    def head(self, target: Target, *, keep: bool = False) -> bytes:
        """The bytes before the body, for that target."""
        headers = {"Host": target.authority, "User-Agent": AGENT, "Accept": "*/*", **self.headers}
        if self.body is not None:
            headers["Content-Length"] = str(len(self.body))
        headers["Connection"] = "keep-alive" if keep else "close"
        lines = [f"{self.method} {target.path}{self.url} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        return "\r\n".join([*lines, "", ""]).encode("utf-8")


@dataclass(frozen=True)
class Reply:
    """What came of a request: `outcome` is the status as text, or hung, closed, refused or garbled.

    `seconds` is from the first byte sent to the last received. `cut` tells that the body was longer than is read.
    """

    outcome: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    body: bytes = b""
    seconds: float = 0.0
    cut: bool = False
    closing: bool = True
    detail: str = ""

    @property
    def content_type(self) -> str:
        """The Content-Type header, "" without one."""
        return self.headers.get("content-type", "")

    @property
    def answered(self) -> bool:
        """Whether there was an HTTP answer."""
        return self.status > 0

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:BODY_BYTES].decode("utf-8", "replace")

    def as_answer(self) -> Answer:
        """The same in the words of the engine room."""
        outcome = OUTCOMES.get(self.outcome, Outcome.ANSWERED)
        return Answer(outcome, status=self.status, body=self.text, detail=self.detail)


class Connection:
    """One connection: bytes out, answers in. Its errors are told by `send` and `reply`, as outcomes."""

    def __init__(self, target: Target, *, timeout_seconds: float) -> None:
        """OSError when nothing can be connected to."""
        plain = socket.create_connection((target.host, target.port), timeout=timeout_seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket = trusting().wrap_socket(plain, server_hostname=target.host) if target.tls else plain
        except BaseException:
            plain.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def send(self, data: bytes, deadline: float) -> None:
        """Send it, or as much of it as the server takes before it answers or hangs up. TimeoutError at the deadline."""
        if isinstance(self.socket, ssl.SSLSocket):
            for at in range(0, len(data), TLS_PIECE_BYTES):
                self.socket.settimeout(_left(deadline))
                self.socket.sendall(data[at : at + TLS_PIECE_BYTES])
            return
        view = memoryview(data)
        while view:
            self.socket.settimeout(_left(deadline))
            # Not select(2), which takes no descriptor above 1023.
            poll = select.poll()
            poll.register(self.socket, select.POLLIN | select.POLLOUT)
            ((_, event),) = poll.poll(_left(deadline) * 1000) or ((0, 0),)
            if event & ~select.POLLOUT:
                return
            if event:
                self.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    view = view[self.socket.send(view[:PIECE_BYTES]) :]

    def reply(self, method: str, deadline: float) -> Reply:
        """The next answer on it."""
        began = time.monotonic()
        try:
            reply = self._reply(method, deadline)
        except TimeoutError:
            reply = Reply(HUNG, detail="no answer in time")
        except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
            reply = Reply(CLOSED, detail=str(error))
        except (http.client.HTTPException, ValueError) as error:
            reply = Reply(GARBLED, detail=repr(str(error))[1:-1])
        except OSError as error:
            reply = Reply(CLOSED, detail=str(error))
        return replace(reply, seconds=time.monotonic() - began)

    def _reply(self, method: str, deadline: float) -> Reply:
        source = _Source(self.socket, deadline)
        with contextlib.closing(http.client.HTTPResponse(source, method=method)) as response:  # type: ignore[arg-type]  # it asks only for makefile
            response.begin()
            body = bytearray()
            while len(body) < READ_BYTES and (piece := response.read(PIECE_BYTES)):
                body += piece
            # Read in pieces, it keeps silent about a body that ends too early.
            missing = (response.length or 0) if len(body) < READ_BYTES else 0
            if missing and method != "HEAD":
                raise http.client.IncompleteRead(bytes(body), missing)
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(
                str(response.status),
                status=response.status,
                headers=headers,
                body=bytes(body),
                cut=len(body) >= READ_BYTES,
                closing=bool(response.will_close),
            )


class _Source(io.RawIOBase):
    """A socket as a file to read, each read within one deadline and one number of bytes for all of them."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket = connection
        self._deadline = deadline
        self._taken = 0

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(_left(self._deadline))
        if self._taken > TAKEN_BYTES:
            raise http.client.HTTPException(f"more than {TAKEN_BYTES >> 20} MiB and no end")
        count = self._socket.recv_into(buffer)
        self._taken += count
        return count


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def exchange(target: Target, request: Request, *, timeout_seconds: float) -> Reply:
    """Send one request on a connection of its own, and give what came of it within the time."""
    began = time.monotonic()
    deadline = began + timeout_seconds
    try:
        with contextlib.closing(Connection(target, timeout_seconds=timeout_seconds)) as connection:
            reply = exchange_on(connection, target, request, deadline=deadline)
    except ConnectionRefusedError as error:
        reply = Reply(REFUSED, detail=str(error))
    except TimeoutError:
        reply = Reply(HUNG, detail="no connection in time")
    except OSError as error:
        # No route means that nobody is at the address; all else came from somebody.
        from_somebody = isinstance(error, ConnectionError | ssl.SSLError)
        reply = Reply(CLOSED if from_somebody else REFUSED, detail=str(error))
    return replace(reply, seconds=time.monotonic() - began)


def exchange_on(
    connection: Connection, target: Target, request: Request, *, deadline: float, keep: bool = False
) -> Reply:
    """Send one request on a connection that is there, and give what came of it."""
    try:
        connection.send(request.head(target, keep=keep) + (request.body or b""), deadline)
    except TimeoutError:
        return Reply(HUNG, detail="it does not read what is sent")
    except OSError:
        pass  # it hung up: perhaps after an answer, which is read below
    return connection.reply(request.method, deadline)
