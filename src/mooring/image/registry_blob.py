"""The bytes of one blob of a registry: as many as the manifest says, resumed where the line breaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.errors import Invalid, Unavailable
from mooring.image.registry_session import PARTIAL
from mooring.image.registry_transport import Broken

if TYPE_CHECKING:
    from collections.abc import Generator

    from mooring.image.registry_session import Session
    from mooring.image.registry_transport import Reply, Transport

# In a row, with less than a mebibyte between them: who gives a byte a connection would keep us for ever.
_MOST_FAILURES = 3
_PROGRESS_BYTES = 1 << 20
_RANGE = re.compile(r"bytes (\d{1,20})-", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Blob:
    """What a manifest says of a blob: `digest` is a sha256 one, `size` in bytes, `what` names it in messages."""

    digest: str
    size: int
    what: str


def blob_chunks(session: Session, transport: Transport, blob: Blob) -> Generator[bytes, None, None]:
    """Its bytes as stored, not compared with the digest yet. Unavailable if they stop, Invalid if they do not end."""
    received, failures = 0, 0
    while received < blob.size:
        came = received
        trouble = "the line was closed"
        try:
            with _opened(session, transport, blob, received) as reply:
                for chunk in reply.chunks():
                    received += len(chunk)
                    if received > blob.size:
                        raise Invalid(f"{blob.what} is larger than the {blob.size} bytes that the manifest says")
                    yield chunk
        except Broken as error:
            trouble = str(error)
        failures = failures + 1 if received - came < _PROGRESS_BYTES else 1
        if received < blob.size and failures > _MOST_FAILURES:
            raise Unavailable(
                f"{blob.what} breaks off after {received} of {blob.size} bytes: {trouble}", hint="try again later"
            )


def _opened(session: Session, transport: Transport, blob: Blob, start: int) -> Reply:
    """The blob from a byte on; Unavailable when the registry cannot begin there, as many proxies cannot."""
    headers = {"Range": f"bytes={start}-"} if start else {}
    reply = session.get(transport, f"blobs/{blob.digest}", blob.what, headers)
    length = reply.headers.get("content-length", "")
    has = (start if reply.status == PARTIAL else 0) + int(length) if length.isdecimal() else blob.size
    if has != blob.size:
        with reply:
            raise Invalid(f"{blob.what} has {has} bytes, the manifest says {blob.size}")
    if not start and reply.status != PARTIAL:
        return reply
    place = _RANGE.match(reply.headers.get("content-range", ""))
    if reply.status == PARTIAL and place and int(place[1]) == start:
        return reply
    with reply:
        raise Unavailable(
            f"{blob.what} broke off after {start} bytes, and {reply.url.host} cannot go on from there",
            hint="try again later",
        )
