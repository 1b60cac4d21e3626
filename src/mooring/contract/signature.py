"""SDK-HMAC-SHA256, the signature that clients with an access key and its secret put on a request.

How it is made: modelarts_03_0004, and the open-source SDKs of that cloud, which differ in the credential they send. The
current ones send `Access=KEY` and sign with the secret itself. Those that the Terraform providers are built on send
`Credential=KEY/DATE/REGION/SERVICE/sdk_request`: that scope is signed too, and the secret is derived by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from mooring.errors import Denied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ALGORITHM = "SDK-HMAC-SHA256"
DATE_HEADER = b"x-sdk-date"
CONTENT_HEADER = b"x-sdk-content-sha256"
# What stands for the hash of a body that is not signed.
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SKEW_SECONDS = 15 * 60
HINT = f"{ALGORITHM} Access=KEY, SignedHeaders=host;x-sdk-date, Signature=HEX"
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_SCOPE = re.compile(r"(\d{8})/[^/]*/[^/]*/sdk_request", re.ASCII)
_BLANKS = re.compile(rb"\s+")


@dataclass(frozen=True, kw_only=True)
class Signable:
    """What of a request is signed, as it goes over the wire: path and query percent-encoded, header names lower-case.

    `payload` is what stands for the body: its lower-case hex SHA-256, or UNSIGNED.
    """

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    payload: str = EMPTY_SHA256


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """What the Authorization header of a signed request says; `scope` is "" unless the secret is derived by one."""

    access: str
    signed_headers: tuple[str, ...]
    signature: str
    scope: str = ""

    @property
    def text(self) -> str:
        """The header's value."""
        who = f"Credential={self.access}/{self.scope}" if self.scope else f"Access={self.access}"
        return f"{ALGORITHM} {who}, SignedHeaders={';'.join(self.signed_headers)}, Signature={self.signature}"


def read_authorization(value: bytes) -> Authorization:
    """What the header says. Denied (case `signature-malformed`), saying what is wrong with it."""
    algorithm, _, rest = value.decode("latin-1").strip().partition(" ")
    if algorithm != ALGORITHM:
        raise _malformed(f"the algorithm is {algorithm[:40]!r}; it must be {ALGORITHM}")
    said = dict[str, str]()
    for part in rest.split(","):
        name, equals, text = part.strip().partition("=")
        if not equals or not text or name in said:
            raise _malformed(f"{part.strip()[:40]!r} is not a name, '=' and a value that is there once")
        said[name] = text
    who = said.pop("Access", "") or said.pop("Credential", "")
    if set(said) != {"SignedHeaders", "Signature"} or not who:
        raise _malformed("it must have Access (or Credential), SignedHeaders and Signature, and nothing else")
    access, _, scope = who.partition("/")
    if (scope and not _SCOPE.fullmatch(scope)) or not access:
        raise _malformed("its Credential must be KEY/DATE/REGION/SERVICE/sdk_request")
    signature = said["Signature"].lower()
    if not _SIGNATURE.fullmatch(signature):
        raise _malformed("its Signature must be 64 hex digits")
    names = tuple(said["SignedHeaders"].lower().split(";"))
    return Authorization(access=access, signed_headers=names, signature=signature, scope=scope)


def sign(request: Signable, *, access: str, secret: str, scope: str = "") -> Authorization:
    """Sign all headers of a request, of which X-Sdk-Date must be one (`YYYYMMDDTHHMMSSZ`)."""
    names = tuple(sorted({name.decode("latin-1") for name, _ in request.headers if b"_" not in name}))
    unsigned = Authorization(access=access, signed_headers=names, signature="", scope=scope)
    made = signature_of(string_to_sign(request, unsigned), secret=secret, scope=scope)
    return Authorization(access=access, signed_headers=names, signature=made, scope=scope)


def verify(request: Signable, authorization: Authorization, *, secret: str, now_ms: int) -> None:
    """Denied with case `signature-skewed` or `signature-wrong` unless the secret made this signature for this request.

    `signature-malformed` when it has no date, or not the date of its scope.
    """
    check_date(request.headers, authorization, now_ms)
    made = signature_of(string_to_sign(request, authorization), secret=secret, scope=authorization.scope)
    if not hmac.compare_digest(made, authorization.signature):
        raise Denied(
            "the signature is not that of this request and this access key's secret",
            hint="compare the canonical request: method, path, query, signed headers and the body's hash",
            case="signature-wrong",
        )


def check_date(headers: Sequence[tuple[bytes, bytes]], authorization: Authorization, now_ms: int) -> None:
    """Denied (case `signature-skewed`) when it was signed more than 15 minutes ago or ahead.

    `signature-malformed` when X-Sdk-Date is missing, is no date, or is not the date of the credential's scope.
    """
    date = _header(headers, DATE_HEADER).decode("latin-1")
    signed = _time(date)
    if signed is None:
        raise _malformed(f"X-Sdk-Date is {date[:40]!r}; it must be a time like 20250102T030405Z")
    scope = _SCOPE.fullmatch(authorization.scope)
    if scope and scope[1] != date[:8]:
        raise _malformed(f"X-Sdk-Date is of {date[:8]}, and the credential of {scope[1]}")
    seconds = now_ms / 1000 - signed.timestamp()
    if abs(seconds) > SKEW_SECONDS:
        way = "ago" if seconds > 0 else "from now"
        raise Denied(
            f"the request was signed {abs(seconds):.0f} s {way}; it must be at most {SKEW_SECONDS} s",
            hint="set the clock of the client, or of the platform",
            case="signature-skewed",
        )


def canonical_request(request: Signable, authorization: Authorization) -> bytes:
    """The request in the one form that both sides come to: method, path, query, headers, their names, payload."""
    scoped = bool(authorization.scope)
    lines = [
        request.method.upper().encode(),
        _canonical_path(request.path),
        _canonical_query(request.query, scoped=scoped),
        *_canonical_headers(request.headers, authorization),
        b"",
        ";".join(authorization.signed_headers).encode("latin-1"),
        request.payload.encode(),
    ]
    return b"\n".join(lines)


def string_to_sign(request: Signable, authorization: Authorization) -> bytes:
    """The algorithm, X-Sdk-Date, the scope if there is one, and the hash of the canonical request; one line each."""
    digest = hashlib.sha256(canonical_request(request, authorization)).hexdigest()
    scope = [authorization.scope.encode("latin-1")] if authorization.scope else []
    return b"\n".join([ALGORITHM.encode(), _header(request.headers, DATE_HEADER), *scope, digest.encode()])


def signature_of(text: bytes, *, secret: str, scope: str = "") -> str:
    """The signature, 64 hex digits: an HMAC with the secret, or with what the scope makes of it."""
    key = secret.encode()
    if scope:
        key = b"SDK" + key
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode("latin-1"), "sha256")
    return hmac.digest(key, text, "sha256").hex()


def _time(date: str) -> datetime | None:
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if _DATE.fullmatch(date) else None
    except ValueError:  # the 31st of February
        return None


def _canonical_path(path: bytes) -> bytes:
    """Decoded once, each segment encoded anew, with a slash at the end."""
    encoded = "/".join(quote_from_bytes(segment, safe="") for segment in unquote_to_bytes(path).split(b"/"))
    return encoded.encode() if encoded.endswith("/") else f"{encoded}/".encode()


def _canonical_query(query: bytes, *, scoped: bool) -> bytes:
    """Decoded, sorted by key and then by value, encoded anew; those that send a scope sort keys as if lower-case."""
    pairs = []
    for piece in filter(None, query.split(b"&")):
        key, _, value = (unquote_to_bytes(part) for part in piece.replace(b"+", b" ").partition(b"="))
        pairs.append((key, value))
    pairs.sort()
    if scoped:
        pairs.sort(key=lambda pair: quote_from_bytes(pair[0], safe="").lower())
    return "&".join(
        f"{quote_from_bytes(key, safe='')}={quote_from_bytes(value, safe='')}" for key, value in pairs
    ).encode()


def _canonical_headers(headers: Sequence[tuple[bytes, bytes]], authorization: Authorization) -> Iterator[bytes]:
    """The signed ones, in the order in which they are named; a name that is there twice has both its values."""
    values = dict[bytes, bytes]()
    for name, value in headers:
        trimmed = _BLANKS.sub(b" ", value.strip()) if authorization.scope else value.strip()
        values[name] = values[name] + b"," + trimmed if name in values else trimmed
    for signed in authorization.signed_headers:
        name = signed.encode("latin-1")
        if name not in values:
            raise Denied(
                f"the header {signed[:40]!r} is signed and not there",
                hint="a proxy in between may have taken it away",
                case="signature-wrong",
            )
        yield name + b":" + values[name]


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes:
    return next((value.strip() for name, value in headers if name == wanted), b"")


def _malformed(message: str) -> Denied:
    return Denied(f"the signature cannot be read: {message}", hint=HINT, case="signature-malformed")
