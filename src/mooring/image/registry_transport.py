"""One HTTP exchange with a registry: who may be asked, how long it may take, and bytes as they come."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

import httpx

from mooring.errors import Invalid, Unavailable
from mooring.image.registry_reference import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
# Chunks of 64 KiB that may wait for the reader: it must never starve, and they must not fill the memory.
_CHUNKS_AHEAD = 16
_CHUNK_BYTES = 64 * 1024
# How long a thread that was told to end is waited for.
_GOODBYE_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a registry may take, in seconds: to answer, to send something small whole, to send the next 64 KiB."""

    answer: float = 60
    whole: float = 120
    silence: float = 60


class Broken(Exception):
    """The connection ended before the answer did, or went silent."""


@dataclass(frozen=True)
class _End:
    error: Exception | None = None


class Reply:
    """Status, headers, and the body in pieces; used as a context, which hangs up when it is left."""

    def __init__(self, client: httpx.Client, request: httpx.Request, patience: Patience) -> None:
        """Send the request, and wait for status and headers. Broken when they do not come."""
        self.url = request.url
        self._patience = patience
        self._came: queue.Queue[Any] = queue.Queue(_CHUNKS_AHEAD)
        self._left = threading.Event()
        self._ended = False
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._thread = threading.Thread(target=self._pump, args=(client, request), name="mooring-registry", daemon=True)
        self._thread.start()
        try:
            first = self._next(patience.answer)
        except BaseException:
            self.__exit__()
            raise
        if isinstance(first, _End):
            raise Broken(_told(first.error or httpx.ReadError("no answer"))) from first.error
        self.status: int = first.status_code
        self.headers: httpx.Headers = first.headers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        with self._lock:
            if self._line:
                with contextlib.suppress(OSError):
                    # Wakes the thread that reads; an SSLSocket's own shutdown would first take the encryption away.
                    socket.socket.shutdown(self._line, socket.SHUT_RDWR)
        self._thread.join(_GOODBYE_SECONDS)

    def chunks(self) -> Iterator[bytes]:
        """The body's bytes as sent. Broken when it ends too early, goes silent, or trickles."""
        while not self._ended:
            piece = self._next(self._patience.silence)
            if not isinstance(piece, _End):
                yield piece
                continue
            self._ended = True
            if piece.error:
                raise Broken(_told(piece.error)) from piece.error

    def whole(self, limit: int, what: str) -> bytes:
        """The body, at most `limit` bytes of it; Invalid if there is more, Unavailable if it does not come."""
        body = bytearray()
        deadline = time.monotonic() + self._patience.whole
        late = ""
        try:
            for piece in self.chunks():
                body += piece
                if len(body) > limit or time.monotonic() > deadline:
                    break
        except Broken as error:
            late = str(error)
        if len(body) > limit:
            raise Invalid(f"{what} is larger than {limit >> 10} KiB, which none has", hint="is it an image?")
        if late or time.monotonic() > deadline:
            late = late or f"{len(body)} bytes in {self._patience.whole:g} s"
            raise Unavailable(f"{what} does not come whole: {late}", hint="try again later")
        return bytes(body)

    def _next(self, seconds: float) -> Any:
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            raise Broken(f"nothing came for {seconds:g} s") from None

    def _pump(self, client: httpx.Client, request: httpx.Request) -> None:
        """Run in a thread of its own: only so does every wait have an end, whatever trickles in."""
        try:
            response = client.send(request, stream=True, auth=None)
            with contextlib.closing(response), self._line_of(response):
                self._put(response)
                # Raw: what is hashed are the bytes as stored, and nothing is inflated on the way.
                for piece in response.iter_raw(_CHUNK_BYTES):
                    if not self._put(piece):
                        return
            self._put(_End())
        except Exception as error:  # noqa: BLE001 - told where the reader is
            self._put(_End(error))

    @contextlib.contextmanager
    def _line_of(self, response: httpx.Response) -> Iterator[None]:
        """The connection may be cut only while it is this answer's: afterwards it may be another's."""
        line = response.extensions["network_stream"].get_extra_info("socket")
        with self._lock:
            self._line = line if isinstance(line, socket.socket) else None
        try:
            yield
        finally:
            with self._lock:
                self._line = None

    def _put(self, item: object) -> bool:
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._came.put(item, timeout=0.2)
                return True
        return False


class Transport:
    """Asks, and follows redirects; what identifies the user goes to the host that was meant, and to no other."""

    def __init__(self, base_url: str, environ: Mapping[str, str], patience: Patience) -> None:
        self.base = httpx.URL(base_url)
        self.local = is_loopback(self.base.host)
        self._patience = patience
        # The system's certificates rather than a package's: companies add their own there.
        context = ssl.create_default_context(cafile=environ.get("SSL_CERT_FILE"), capath=environ.get("SSL_CERT_DIR"))
        timeout = httpx.Timeout(patience.silence, connect=min(patience.answer, 15))
        self._client = httpx.Client(verify=context, timeout=timeout, trust_env=not self.local)
        # Cookies know no ports: a registry's would go to its neighbour on the same machine.
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, url: str, headers: Mapping[str, str], *, form: Mapping[str, str] | None = None) -> Reply:
        """The first answer that is no redirect. Unavailable, Invalid for a redirect that must not be followed."""
        target = self.permitted(url)
        sent = dict(headers)
        for _ in range(_MOST_REDIRECTS + 1):
            reply = self._once(target, sent, form)
            if reply.status not in _REDIRECTS or form is not None:
                return reply
            with reply:
                following = self.permitted(urljoin(str(target), reply.headers.get("location", "")))
            if origin(following) != origin(target):
                sent = {name: value for name, value in sent.items() if name.lower() != "authorization"}
            target = following
        raise Invalid(f"{self.base.host} redirects more than {_MOST_REDIRECTS} times", hint="ask who runs the registry")

    def permitted(self, url: str) -> httpx.URL:
        """The URL, if it may be asked: https, plain http only within this machine, and no credentials in it."""
        try:
            target = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise Invalid(f"{self.base.host} names an address that is none ({error})") from error
        place = f"{target.scheme}://{target.host}"
        plain = target.scheme == "http" and self.local and is_loopback(target.host)
        if not target.host or not (plain or target.scheme == "https"):
            raise Invalid(
                f"{self.base.host} sends on to {place}, which is not https",
                hint="the registry must be mended; plain http is used on this machine's own addresses only",
            )
        if target.userinfo:
            raise Invalid(f"{self.base.host} sends on to {place} with a user in the address; that is not followed")
        return target

    def _once(self, target: httpx.URL, headers: Mapping[str, str], form: Mapping[str, str] | None) -> Reply:
        request = self._client.build_request(
            "GET" if form is None else "POST",
            target,
            headers={"Accept-Encoding": "identity", "User-Agent": "mooring", **headers},
            data=form,
        )
        try:
            return Reply(self._client, request, self._patience)
        except Broken as error:
            raise Unavailable(
                f"{target.host} does not answer: {error}",
                hint="is the name right, and is the network there? a proxy is taken from HTTPS_PROXY",
            ) from error


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port: what belongs to one of these belongs to no other."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _told(error: Exception) -> str:
    """What went wrong, in few words; never the address, whose query may be a signature."""
    if isinstance(error, httpx.TimeoutException):
        return "it takes too long"
    return str(error).split("\n", 1)[0][:200] or type(error).__name__
