"""Who makes a call: told from a token, a signature or an app code, against everyone who may call."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.contract import signature
from mooring.contract.signature import ALGORITHM, EMPTY_SHA256, UNSIGNED, Signable
from mooring.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mooring.gateway.table import AccessKey, Callers, Principal, Token

_SIGNED = ALGORITHM.encode()
_ASKED_FOR = (b"x-auth-token", b"x-apig-appcode", b"apikey", b"authorization")
HINT = "send X-Auth-Token, Authorization: Bearer, or a signature; mooring keys create makes a token or a key pair"


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


def digest(secret: bytes) -> str:
    """How a token or a code is known to those who need not know it: the lower-case hex SHA-256."""
    return hashlib.sha256(secret).hexdigest()


def needs_body(asked: Asked, callers: Callers | None = None) -> bool:
    """Whether the body must be read, and its hash be in `body_sha256`, before `identify` can tell.

    With `callers`, not for a request whose access key is unknown: that is denied whatever its body is.
    """
    headers = _first(asked.headers)
    if any(name in headers for name in _ASKED_FOR[:3]) or not _is_signed(headers.get(b"authorization", b"")):
        return False
    if headers.get(signature.CONTENT_HEADER) == UNSIGNED.encode() or _is_bodiless(headers):
        return False
    if callers is None:
        return True
    try:
        return signature.read_authorization(headers[b"authorization"]).access in callers.access_keys
    except Denied:
        return False


def identify(asked: Asked, callers: Callers, now_ms: int) -> Principal:
    """Who makes the call.

    Taken are, the first that is there: `X-Auth-Token`, `X-Apig-AppCode` or `apikey` (both with an app's code), and
    `Authorization` with an SDK-HMAC-SHA256 signature or a Bearer token.

    Raises:
        Denied: with case `no-auth`, `token-empty`, `token-invalid`, `token-expired`, `app-code-invalid`,
            `auth-malformed` (no scheme that is known), `signature-malformed`, `signature-wrong`, `signature-skewed`,
            `key-unknown` or `key-expired`.
    """
    headers = _first(asked.headers)
    if (token := headers.get(b"x-auth-token")) is not None:
        return _by_token(token, callers, now_ms)
    if (code := headers.get(b"x-apig-appcode", headers.get(b"apikey"))) is not None:
        return _by_code(code, callers, now_ms)
    authorization = headers.get(b"authorization", b"")
    if not authorization:
        raise Denied("the call says nothing of who makes it", hint=HINT, case="no-auth")
    if _is_signed(authorization):
        return _by_signature(asked, headers, callers, now_ms)
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        shown = repr(scheme[:20].decode("latin-1"))
        raise Denied(f"the Authorization header's scheme {shown} is not known", hint=HINT, case="auth-malformed")
    return _by_token(token.strip(), callers, now_ms)


def require_project(principal: Principal, project_id: str) -> None:
    """Denied (case `project-mismatch`) unless the caller's key opens this project.

    An app's code or key opens none (case `app-code-mismatch`).
    """
    if principal.service_id:
        raise Denied("an app may call its service, and nothing else", hint=HINT, case="app-code-mismatch")
    if principal.project_id != project_id:
        raise Denied(
            f"the key opens another project than {project_id[:40]!r}",
            hint="the project's id is part of the path; GET /v3/projects says which the key opens",
            case="project-mismatch",
        )


def require_service(principal: Principal, project_id: str, service_id: str) -> None:
    """Denied (case `project-mismatch`, `app-code-mismatch`) unless the caller may call this service of this project."""
    if principal.service_id and principal.service_id != service_id:
        raise Denied("the app's code is for another service", case="app-code-mismatch")
    if principal.project_id != project_id:
        raise Denied("the service is of another project than the key's", case="project-mismatch")


def _by_token(token: bytes, callers: Callers, now_ms: int) -> Principal:
    if not token:
        raise Denied("the token is empty", hint=HINT, case="token-empty")
    known = callers.tokens.get(digest(token))
    if known is None:
        raise Denied("the token is not one of this platform's, or was revoked", hint=HINT, case="token-invalid")
    return _unexpired(known, now_ms, "token-expired")


def _by_code(code: bytes, callers: Callers, now_ms: int) -> Principal:
    known = callers.app_codes.get(digest(code))
    if known is None:
        raise Denied("the app code is not one of this platform's, or was revoked", case="app-code-invalid")
    return _unexpired(known, now_ms, "key-expired")


def _by_signature(asked: Asked, headers: Mapping[bytes, bytes], callers: Callers, now_ms: int) -> Principal:
    authorization = signature.read_authorization(headers[b"authorization"])
    known = callers.access_keys.get(authorization.access)
    if known is None:
        raise Denied(
            f"the access key {authorization.access[:40]!r} is not one of this platform's, or was revoked",
            hint=HINT,
            case="key-unknown",
        )
    principal = _unexpired(known, now_ms, "key-expired")
    signature.check_date(asked.headers, authorization, now_ms)
    wrong = None
    for payload in _payloads(asked, headers):
        request = Signable(
            method=asked.method, path=asked.path, query=asked.query, headers=asked.headers, payload=payload
        )
        try:
            signature.verify(request, authorization, secret=known.secret, now_ms=now_ms)
        except Denied as denied:
            wrong = denied
        else:
            return principal
    raise wrong or Denied(
        "the body is not the one whose hash X-Sdk-Content-Sha256 gives",
        hint="send the hash of the body, or none",
        case="signature-wrong",
    )


def _payloads(asked: Asked, headers: Mapping[bytes, bytes]) -> Iterator[str]:
    """What may have stood for the body when it was signed.

    Of an empty body, current SDKs sign the hash whatever X-Sdk-Content-Sha256 says, and older ones what it says.
    """
    said = headers.get(signature.CONTENT_HEADER, b"").decode("latin-1")
    found = EMPTY_SHA256 if _is_bodiless(headers) else asked.body_sha256
    if said == UNSIGNED:
        yield UNSIGNED
    elif not found:
        raise ValueError("the body's hash is needed: ask needs_body first")
    elif said and said.lower() == found:
        yield said
    if found == EMPTY_SHA256 or not said:
        yield found


def _unexpired(known: Token | AccessKey, now_ms: int, case: str) -> Principal:
    if known.expires_at_ms is not None and known.expires_at_ms <= now_ms:
        raise Denied("the token or key has expired", hint=HINT, case=case)
    return known.principal


def _first(headers: Sequence[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The first value of each header, without blanks around it."""
    return {name: value.strip() for name, value in reversed(headers)}


def _is_signed(authorization: bytes) -> bool:
    # Also one of its kin, so that its client is told which of them is spoken here.
    return authorization.startswith((_SIGNED, b"SDK-", b"V11-"))


def _is_bodiless(headers: Mapping[bytes, bytes]) -> bool:
    return b"transfer-encoding" not in headers and headers.get(b"content-length", b"0") == b"0"
