"""What the gateway says when a call gets no answer from a model: the documented codes, and who failed.

Source of codes and statuses: the cloud's page on errors of real-time services (its gateway's and its dispatcher's).
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.gateway.connection import Failure
from mooring.gateway.heads import ERROR_SOURCE, REQUEST_ID

if TYPE_CHECKING:
    from mooring.gateway.heads import Header


class Source(enum.Enum):
    """Who failed; what a model itself answers is marked `model`."""

    GATEWAY = b"gateway"
    CONTAINER = b"container"


@dataclass
class Problem(Exception):
    """An answer of the gateway's own. `retry_after` is in seconds, 0 for no such header."""

    status: int
    code: str
    message: str
    source: Source = Source.GATEWAY
    retry_after: int = 0
    allow: bytes = b""

    def body(self) -> bytes:
        """The error as callers of that cloud know it."""
        return json.dumps({"error_code": self.code, "error_msg": self.message}).encode()

    def headers(self, number: bytes, size: int) -> list[Header]:
        """The headers that go with the body."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % size),
            (ERROR_SOURCE, self.source.value),
            (REQUEST_ID, number),
        ]
        if self.retry_after:
            headers.append((b"retry-after", b"%d" % self.retry_after))
        if self.allow:
            headers.append((b"allow", self.allow))
        return headers


def no_such_api() -> Problem:
    """Nothing is served there, or not to this caller: which of the two is not told."""
    return Problem(404, "APIG.0101", "The API does not exist or has not been published in the environment.")


def method_not_allowed(method: str, allowed: str) -> Problem:
    """No service takes this method."""
    message = f"The API does not exist or has not been published in the environment: no service takes {method}."
    return Problem(405, "APIG.0101", message, allow=allowed.encode())


def not_identified(reason: str) -> Problem:
    """There is no credential, or none that counts."""
    return Problem(401, "APIG.0301", f"Incorrect IAM authentication information: {reason}")


def no_right(reason: str) -> Problem:
    """The credential is good, and not for this."""
    return Problem(401, "ModelArts.4203", reason)


def not_started(name: str, status: str) -> Problem:
    """The service is there and does not run."""
    return Problem(400, "ModelArts.4203", f"The service {name} is unavailable: it is {status}. Start it first.")


def nothing_ready(name: str, status: str) -> Problem:
    """The service is to run, and none of its instances is ready."""
    message = f"Gateway forwarding error: the service {name} is {status} and has no instance that is ready."
    return Problem(503, "ModelArts.4302", message, Source.CONTAINER, retry_after=2)


def just_started() -> Problem:
    """Control has not yet told what there is."""
    return Problem(503, "ModelArts.4302", "The gateway has just started; try again in a moment.", retry_after=1)


def body_too_large(limit_bytes: int) -> Problem:
    """The body is above the service's limit."""
    limit = f"{limit_bytes / 1_000_000:g} MB" if limit_bytes % 1_000_000 == 0 else f"{limit_bytes} bytes"
    if limit_bytes % (1 << 20) == 0:
        limit = f"{limit_bytes >> 20} MB"
    message = f"The request body is too large: this service takes at most {limit} ({limit_bytes} bytes)."
    return Problem(413, "ModelArts.4104", message)


def bad_framing() -> Problem:
    """How long the body is, is told in a way that two servers could understand differently."""
    return Problem(400, "ModelArts.4200", "Content-Length or Transfer-Encoding is not usable: send one of them, once.")


def too_slow() -> Problem:
    """The body comes so slowly that it is not waited for."""
    return Problem(408, "ModelArts.4205", "The request body did not arrive in time; send it faster, or anew.")


def too_many(per_second: float, retry_after: int) -> Problem:
    """The service's traffic limit is reached."""
    message = f"Too many requests for the API: this service takes {per_second:g} a second. Try again later."
    return Problem(429, "ModelArts.4206", message, retry_after=retry_after)


def our_fault() -> Problem:
    """Something that must not happen has happened here."""
    return Problem(500, "ModelArts.4301", "An internal error of the gateway; its log has the request id.")


def no_websocket(name: str) -> Problem:
    """The service was not made for WebSockets."""
    return Problem(400, "ModelArts.4200", f"The service {name} takes no WebSockets: websocket_upgrade is false.")


_CONTAINER = {
    Failure.REFUSED: (503, "ModelArts.4302", "Gateway forwarding error: the instance refuses connections."),
    Failure.CONNECT_TIMEOUT: (408, "ModelArts.4205", "Connecting to the backend service timed out."),
    Failure.TLS: (500, "ModelArts.4503", "Failed to respond: no TLS connection to the instance could be made."),
    Failure.CLOSED: (500, "ModelArts.4503", "Failed to respond: the instance closed the connection unanswered."),
    Failure.CUT: (500, "ModelArts.4503", "Failed to respond: the instance broke its answer off."),
    Failure.ANSWER_TIMEOUT: (504, "ModelArts.4503", "Backend service respond timeout: no answer in time."),
    Failure.MALFORMED: (500, "ModelArts.4503", "Failed to respond: what the instance sent is not valid HTTP."),
}


def failed(failure: Failure) -> Problem:
    """A replica gave no answer."""
    status, code, message = _CONTAINER[failure]
    return Problem(status, code, message, Source.CONTAINER, retry_after=1 if status == 503 else 0)  # noqa: PLR2004
