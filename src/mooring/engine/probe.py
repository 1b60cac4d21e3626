"""What one question to a server brought back, sorted by who is at fault when it is not an answer."""

from __future__ import annotations

import enum
import json
import socket
import ssl
from dataclasses import dataclass

# Enough of a body to hold a reason, which may be a framework's long list of what does not fit; a page is cut.
BODY_BYTES = 64 * 1024
REASON_KEYS = ("reason", "error_msg", "detail", "message")


class Outcome(enum.Enum):
    """How far the question came."""

    ANSWERED = "answered"
    REFUSED = "refused"  # nothing listens at the address
    CLOSED = "closed"  # accepted, then closed without a word; a published port with nobody behind it does that
    SILENT = "silent"  # accepted, and no answer within the time
    NOT_HTTP = "not http"  # answered with something else
    TLS = "tls"  # speaks TLS where plain HTTP was asked for


@dataclass(frozen=True)
class Answer:
    """One outcome; `status` and `body` only when there was an HTTP answer, `detail` otherwise."""

    outcome: Outcome
    status: int = 0
    body: str = ""
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether this means healthy: any 2xx, whatever the body says (only the status is normative)."""
        return self.outcome is Outcome.ANSWERED and 200 <= self.status < 300  # noqa: PLR2004 - the 2xx class of HTTP

    @property
    def reason(self) -> str:
        """The reason inside a JSON body when there is one, else the body, in one line."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        told = [str(value[key]) for key in REASON_KEYS if key in value] if isinstance(value, dict) else []
        return " ".join((told[0] if told else self.body).split())


def speaks_tls(host: str, port: int, *, timeout_seconds: float = 3.0) -> bool:
    """Whether a TLS handshake succeeds at the address, with any certificate."""
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_seconds) as plain,
            trusting().wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:  # ssl.SSLError is one
        return False


def trusting() -> ssl.SSLContext:
    """A context that takes any certificate: containers that speak HTTPS make their own, and nothing secret is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
