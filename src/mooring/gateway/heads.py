"""What of a head goes on: the lines of a request to a replica, and the headers of its answer to the client."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

Header = tuple[bytes, bytes]

ERROR_SOURCE = b"x-mooring-error-source"
REQUEST_ID = b"x-request-id"
# What is between two neighbours on the way and nobody else's business (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# Who calls is between the caller and the platform: a model never sees a credential.
_IDENTITY = frozenset(
    (
        b"apikey",
        b"authorization",
        b"x-apig-appcode",
        b"x-auth-token",
        b"x-sdk-content-sha256",
        b"x-sdk-date",
        b"x-security-token",
        b"x-stage",
        b"x-subject-token",
    )
)
# These are written anew. `Expect` was answered here: whoever asks is told to go on when the body is wanted.
_WRITTEN = frozenset(
    (
        b"content-length",
        b"expect",
        b"forwarded",
        b"host",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        REQUEST_ID,
        ERROR_SOURCE,
    )
)
_NOT_FORWARDED = _HOP_BY_HOP | _IDENTITY | _WRITTEN
# The handshake is made anew with the replica.
_HANDSHAKE = frozenset(
    (
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-key",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
    )
)
_NOT_ANSWERED = _HOP_BY_HOP | {REQUEST_ID, ERROR_SOURCE}
_REQUEST_ID_TEXT = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._~:/+=@-]{0,127}")
_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "DELETE"))


def value_of(headers: Iterable[Header], name: bytes) -> bytes:
    """The value of the first header of this (lower-case) name, b"" without one."""
    for key, value in headers:
        if key == name:
            return value
    return b""


def request_id(headers: Iterable[Header]) -> bytes:
    """The caller's `X-Request-Id` if it is well-formed (128 letters, digits and `._~:/+=@-`), else a new one."""
    given = value_of(headers, REQUEST_ID)
    return given if _REQUEST_ID_TEXT.fullmatch(given) else os.urandom(16).hex().encode()


def forwarded(scope: Mapping[str, Any], number: bytes) -> list[Header]:
    """The request's headers as a replica gets them, but for `Host` and those that frame the body.

    Left out are credentials, whatever is between neighbours only, and what `Connection` names.
    """
    kept: list[Header] = []
    dropped = _NOT_FORWARDED
    came_by = host = b""
    for name, value in scope["headers"]:
        if name not in _NOT_FORWARDED:
            kept.append((name, value))
        elif name == b"x-forwarded-for":
            came_by = came_by + b", " + value if came_by else value
        elif name == b"host":
            host = value
        elif name == b"connection":
            dropped |= _named(value)
    if dropped is not _NOT_FORWARDED:
        kept = [(name, value) for name, value in kept if name not in dropped]
    client = scope["client"][0].encode() if scope.get("client") else b"unknown"
    kept += (
        (b"x-forwarded-for", came_by + b", " + client if came_by else client),
        (b"x-forwarded-proto", b"https" if scope["scheme"] in ("https", "wss") else b"http"),
        (REQUEST_ID, number),
    )
    if host:
        kept.append((b"x-forwarded-host", host))
    return kept


def handshake(scope: Mapping[str, Any], number: bytes) -> list[tuple[str, str]]:
    """The headers that a WebSocket's handshake with the replica takes over."""
    return [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in forwarded(scope, number)
        if name not in _HANDSHAKE
    ]


def _named(connection: bytes) -> frozenset[bytes]:
    return frozenset(name.strip().lower() for name in connection.split(b","))


def request_head(method: str, target: bytes, url: str, headers: Iterable[Header], length: int | None) -> bytes:
    """A request's head as it is sent; a `length` of None is a body in chunks.

    `Host` is the replica's own address, as its health check sees it.
    """
    lines = [b"%s %s HTTP/1.1\r\nhost: %s\r\n" % (method.encode(), target, authority(url))]
    lines += [b"%s: %s\r\n" % header for header in headers]
    if length is None:
        lines.append(b"transfer-encoding: chunked\r\n\r\n")
    elif length or method not in _WITHOUT_BODY:
        lines.append(b"content-length: %d\r\n\r\n" % length)
    else:
        lines.append(b"\r\n")
    return b"".join(lines)


def authority(url: str) -> bytes:
    """The host and port of a replica's URL."""
    return urlsplit(url).netloc.encode()


def answered(status: int, headers: Iterable[Header], number: bytes) -> list[Header]:
    """An answer's headers as the client gets them: untouched, but for what is between neighbours and our own."""
    kept: list[Header] = []
    dropped = _NOT_ANSWERED
    for name, value in headers:
        if name == b"connection":
            dropped |= _named(value)
        elif name == b"content-length" and status in (204, 304):
            continue  # it tells of a body that is not there
        else:
            kept.append((name, value))
    kept = [(name, value) for name, value in kept if name not in dropped]
    kept.append((REQUEST_ID, number))
    if status >= 400:  # noqa: PLR2004 - where errors begin
        kept.append((ERROR_SOURCE, b"model"))
    return kept
