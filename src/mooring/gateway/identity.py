"""Who makes a call: told from a token, a signature or an app code, against everyone who may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mooring.gateway.table import Callers, Principal


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came over the wire, as far as it says who makes it.

    `path` and `query` are as sent, percent-encoded (ASGI's `raw_path` and `query_string`); the names of `headers` are
    lower-case (ASGI's `headers`). `body_sha256` is the lower-case hex SHA-256 of the body, needed if `needs_body` says
    so, and "" while the body was not read.
    """

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body_sha256: str = ""


def needs_body(asked: Asked) -> bool:
    """Whether the body must be read, and its hash be in `body_sha256`, before `identify` can tell."""
    raise NotImplementedError


def identify(asked: Asked, callers: Callers, now_ms: int) -> Principal:
    """Who makes the call.

    Taken are, the first that is there: `X-Auth-Token`, `X-Apig-AppCode` or `apikey`, and `Authorization` with an
    SDK-HMAC-SHA256 signature or a Bearer token.

    Raises:
        Denied: with case `no-auth`, `token-empty`, `token-invalid`, `token-expired`, `app-code-invalid`,
            `auth-malformed` (no scheme that is known), `signature-malformed`, `signature-wrong`, `signature-skewed`,
            `key-unknown` or `key-expired`.
    """
    raise NotImplementedError


def require_project(principal: Principal, project_id: str) -> None:
    """Denied (case `project-mismatch`) unless the caller's key opens this project; an app code opens none."""
    raise NotImplementedError


def require_service(principal: Principal, project_id: str, service_id: str) -> None:
    """Denied (case `project-mismatch`, `app-code-mismatch`) unless the caller may call this service of this project."""
    raise NotImplementedError
