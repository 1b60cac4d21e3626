"""One HTTP question, made from what a user typed, and its reply; or a sentence on why there was none."""

from __future__ import annotations

import ipaddress
import json
import mimetypes
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from mooring.errors import Invalid, Refused, Unavailable

BARE_TEXTS = ("text/", "application/xml", "application/javascript")
# Several times what the platform lets through; a server gone wrong must not fill this machine's memory.
LARGEST_ANSWER = 64 << 20
GRACE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a form: text when `file_name` is None."""

    name: str
    content: bytes
    file_name: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request that is complete in itself: its files have been read."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()
    body: bytes | None = None

    @classmethod
    def of(cls, url: str, *, form: list[str], data: str, method: str, headers: list[str]) -> Question:
        """The question that these words ask; Invalid, naming the word, when they do not make sense."""
        if form and data:
            raise Invalid("--form and --data are two kinds of body", hint="a request has one; use either")
        body = _json_body(data) if data else None
        return cls(
            method=(method or ("POST" if form or data else "GET")).upper(),
            url=_url(url),
            headers=tuple(_header(line) for line in headers),
            parts=tuple(_part(word) for word in form),
            body=body,
        )


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back; `milliseconds` is from the first byte sent, connecting included, to the last received."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    milliseconds: float
    value: Any = field(default=None)


def ask(question: Question, *, timeout_seconds: float) -> Reply:
    """Send it once; everything, the name look-up and the last byte of the answer included, has `timeout_seconds`.

    Raises:
        Unavailable: there is no reply, or no whole one in time; the message says what is likely wrong.
        Refused: the reply is larger than LARGEST_ANSWER.
    """
    # In a thread that is left behind when time is up: the client's own limits are for one step or one read each, and
    # come first where they can, since they know what was waited for.
    outcome: queue.SimpleQueue[Reply | Exception] = queue.SimpleQueue()
    deadline = time.monotonic() + timeout_seconds

    def work() -> None:
        try:
            outcome.put(_exchange(question, timeout_seconds, deadline))
        except Exception as error:  # noqa: BLE001 - raised again below, where the user is
            outcome.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        found = outcome.get(timeout=timeout_seconds + GRACE_SECONDS)
    except queue.Empty:
        found = httpx.ReadTimeout("")
    if isinstance(found, httpx.HTTPError | httpx.InvalidURL):
        raise _no_reply(question.url, found, timeout_seconds) from found
    if isinstance(found, Exception):
        raise found
    return found


def _exchange(question: Question, timeout_seconds: float, deadline: float) -> Reply:
    headers = list(question.headers)
    if question.body is not None and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    files = [(part.name, (part.file_name, part.content, part.content_type)) for part in question.parts]
    with httpx.Client(timeout=httpx.Timeout(timeout_seconds), trust_env=not _is_local(question.url)) as client:
        began = time.perf_counter()
        with client.stream(
            question.method, question.url, headers=headers, content=question.body, files=files or None
        ) as reply:
            body = _whole(reply, question.url, timeout_seconds, deadline)
        spent = time.perf_counter() - began
    return Reply(
        status=reply.status_code,
        reason=reply.reason_phrase or _phrase(reply.status_code),
        headers=dict(reply.headers),
        body=body,
        milliseconds=spent * 1000,
        value=_value(body, reply.headers.get("content-type", ""), reply.encoding),
    )


def _whole(reply: httpx.Response, url: str, timeout_seconds: float, deadline: float) -> bytes:
    """The body, unpacked; at most LARGEST_ANSWER bytes of it are ever held."""
    body = bytearray()
    for piece in reply.iter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise Refused(
                f"{_place(url)} answers with more than {LARGEST_ANSWER >> 20} MiB, which is too much to show",
                hint="curl -o FILE keeps an answer of any size",
            )
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{_place(url)} was still sending its answer after {timeout_seconds:g} s ({len(body)} bytes so far)",
                hint="--timeout waits longer",
            )
    return bytes(body)


def _value(body: bytes, kind: str, encoding: str | None) -> Any:
    """The body as JSON when it is some, whatever its type says; as text when it is declared so; else None."""
    try:
        return json.loads(body)
    except RecursionError:
        return body.decode(errors="replace")  # nested deeper than Python reads; a person may still look at it
    except ValueError:
        pass
    return body.decode(encoding or "utf-8", errors="replace") if body and kind.startswith(BARE_TEXTS) else None


def _url(text: str) -> str:
    """With a scheme: plain http, as containers speak, unless another is named."""
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL as error:
        raise Invalid(f"{text} is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise Invalid(f"{text} is not a URL of http or https", hint="for example 127.0.0.1:8080/")
    return str(url)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise Invalid(f"--header {line!r} is not of the form 'NAME: VALUE'")
    return name.strip(), value.strip()


def _json_body(data: str) -> bytes:
    """The bytes as given, so that what is sent is what was typed; they must be JSON all the same."""
    source = f"the file {data[1:]}" if data.startswith("@") else "--data"
    body = _read(data[1:]) if data.startswith("@") else data.encode()
    try:
        json.loads(body)
    except RecursionError:
        pass  # nested deeper than Python reads: whether it is JSON, the server will say
    except ValueError as error:
        hint = "quote it for the shell: -d '{\"key\": 1}'" if source == "--data" else ""
        raise Invalid(f"{source} is not JSON: {error}", hint=hint) from error
    return body


def _part(word: str) -> Part:
    """`field=text`, `field=@file` and, as curl has it, `field=@file;type=image/png`."""
    name, equals, value = word.partition("=")
    if not equals or not name:
        raise Invalid(f"--form {word!r} is not of the form FIELD=VALUE or FIELD=@FILE")
    if not value.startswith("@"):
        return Part(name=name, content=value.encode())
    path, _, declared = value[1:].partition(";type=")
    guessed = declared or mimetypes.guess_type(path)[0] or "application/octet-stream"
    return Part(name=name, content=_read(path), file_name=Path(path).name, content_type=guessed)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Invalid(f"cannot read {path or 'a file without a name'}: {error.strerror}") from error


def _no_reply(url: str, error: Exception, timeout_seconds: float) -> Unavailable:
    """Why nothing answered, most telling first."""
    host, place = httpx.URL(url), _place(url)
    limit = f"within {timeout_seconds:g} s"
    if isinstance(error, httpx.ConnectTimeout):
        message, hint = f"no connection to {place} {limit}", "a firewall, or a wrong address?"
    elif isinstance(error, httpx.TimeoutException):
        message, hint = f"{place} gave no answer {limit}", "the model may still be busy; --timeout waits longer"
    elif _caused_by(error, ssl.SSLError):
        message, hint = f"{place} and we do not agree on TLS: {error}", _tls_hint(url, error)
    elif _caused_by(error, socket.gaierror):
        message, hint = f"nobody knows the name {host.host}: {error}", "check its spelling, and the name server"
    elif isinstance(error, httpx.ConnectError):
        message, hint = f"no connection to {place}: {error}", _refused_hint(host)
    elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        message, hint = f"{place} closed the connection without an answer: {error}", _closed_hint(url, host)
    else:
        message, hint = f"{place} did not answer: {error}", ""
    return Unavailable(message, hint=hint)


def _place(url: str) -> str:
    host = httpx.URL(url)
    return f"{host.host}:{host.port or (443 if host.scheme == 'https' else 80)}"


def _tls_hint(url: str, error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not signed by anyone this machine trusts; SSL_CERT_FILE may name one that is"
    return f"it may speak plain http: {url.replace('https://', 'http://', 1)}"


def _refused_hint(url: httpx.URL) -> str:
    if _is_local(str(url)):
        return (
            "nothing listens there: is it running, and on that port? mooring serve DIR or mooring run IMAGE starts one"
        )
    return "is it up, is the port open, and does its server listen on 0.0.0.0 rather than 127.0.0.1?"


def _closed_hint(url: str, host: httpx.URL) -> str:
    from mooring.engine.probe import speaks_tls  # noqa: PLC0415 - only on the way to an error

    if host.scheme == "http" and speaks_tls(host.host, host.port or 80):
        return f"it speaks TLS: {url.replace('http://', 'https://', 1)}"
    return (
        "in a container, this happens when its server listens on 127.0.0.1 or on another port than the published one; "
        "mooring run says which"
    )


def _is_local(url: str) -> bool:
    """Whether a proxy would be out of place."""
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
