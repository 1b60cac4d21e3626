"""A request to an api as its config.json describes it: a value for the schema, and the bytes that carry it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mooring.checks.trial.files import File, invented
from mooring.contract.node import described, shortened
from mooring.engine.wire import Request

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mooring.checks.trial.sightings import Purpose
    from mooring.contract import Api

FILE = "@file"
FORM = "multipart/form-data"
JSON = "application/json"
# Fixed, so that the same question is the same bytes.
BOUNDARY = "mooring-check-7MA4YWxkTrZu0gW"
BODILESS = frozenset({"GET", "HEAD", "DELETE"})


@dataclass(frozen=True)
class Question:
    """One request, why it is made, and in a few words what it is.

    `parts` are those of a form. An answer whose status is among the `unremarkable` says nothing about the api.
    """

    api: Api
    purpose: Purpose
    sent: str
    request: Request
    parts: tuple[tuple[str, File | str], ...] = ()
    unremarkable: Collection[int] = ()

    @property
    def made_up(self) -> bool:
        """Whether it holds a file that we invented."""
        return any(isinstance(part, File) and part.made_up for _, part in self.parts)

    @property
    def name(self) -> str:
        """The api as findings name it."""
        return f"{self.api.method} {self.api.url}"


def kind_of(api: Api) -> str:
    """How the api takes its data: "query", or the content type of its body."""
    return "query" if api.method in BODILESS else api.request.content_type.partition(";")[0].strip().lower() or JSON


def is_file(schema: object) -> bool:
    """Whether config.json wants a file there."""
    return isinstance(schema, dict) and schema.get("type") == "file"


def question(api: Api, purpose: Purpose, value: Any, samples: Mapping[str, File], *, sent: str = "") -> Question:
    """The request that carries a value; files are the caller's samples by field, invented where there is none."""
    kind = kind_of(api)
    parts = tuple(form_parts(api, value, samples)) if kind == FORM else ()
    if kind == "query":
        request = Request(api.method, with_query(api.url, value))
    elif kind == FORM:
        request = form_request(api, form(parts))
    else:
        request = json_request(api, json.dumps(sampled(value, samples)).encode())
    return Question(api, purpose, sent or told(value), request, parts)


def with_query(url: str, value: Any) -> str:
    """The url with the fields of an object behind it."""
    fields = [(name, one) for name, many in _fields(value) for one in (many if isinstance(many, list) else [many])]
    if not fields:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode([(name, as_text(one)) for name, one in fields])}"


def json_request(api: Api, body: bytes) -> Request:
    """A request with that body, which is called what the api asks for."""
    return Request(api.method, api.url, {"Content-Type": api.request.content_type or JSON}, body)


def form_request(api: Api, body: bytes) -> Request:
    """A request with the body of a form."""
    return Request(api.method, api.url, {"Content-Type": f"{FORM}; boundary={BOUNDARY}"}, body)


def form_parts(api: Api, value: Any, samples: Mapping[str, File]) -> Iterator[tuple[str, File | str]]:
    """The parts of a form: a file for each that the schema calls one, a text for the others."""
    properties = api.request.data.get("properties") or {}
    for name, many in _fields(value):
        for one in many if isinstance(many, list) and FILE in many else [many]:
            if one == FILE:
                schema = properties.get(name)
                yield name, samples.get(name) or invented(name, _hint(schema))
            else:
                yield name, as_text(one)


def form(parts: Iterable[tuple[str, File | str]]) -> bytes:
    """The parts as the body of a form."""
    body = bytearray()
    for name, part in parts:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{_escaped(name)}"'
        if isinstance(part, File):
            head += f'; filename="{_escaped(part.name)}"\r\nContent-Type: {part.content_type}'
        body += f"{head}\r\n\r\n".encode()
        body += (part.data if isinstance(part, File) else part.encode("utf-8", "replace")) + b"\r\n"
    return bytes(body) + f"--{BOUNDARY}--\r\n".encode()


def sampled(value: Any, samples: Mapping[str, File]) -> Any:
    """A value for JSON with the caller's files in their fields: as JSON if they are, as text, or else as base64."""
    if not isinstance(value, dict):
        return value
    return {
        name: _content(samples[name]) if name in samples else (_content(invented(name)) if one == FILE else one)
        for name, one in value.items()
    }


def _content(file: File) -> Any:
    try:
        text = file.data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(file.data).decode()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def grown(asked: Question, size: int) -> Question:
    """The same question with a body of that many bytes: blanks in JSON, a larger file or text in a form."""
    body = asked.request.body or b""
    missing = size - len(body)
    if asked.parts:
        at = next((n for n, (_, part) in enumerate(asked.parts) if isinstance(part, File)), 0)
        name, part = asked.parts[at]
        larger = part.grown(len(part.data) + missing) if isinstance(part, File) else part + " " * missing
        body = form((*asked.parts[:at], (name, larger), *asked.parts[at + 1 :]))
    else:
        # Inside, as readers may stop at the end; a text may not be touched.
        at = len(body) - 1 if body.endswith((b"}", b"]")) else len(body)
        body = body[:at] + b" " * missing + body[at:]
    return replace(asked, request=replace(asked.request, body=body), sent=f"a body of {size / 1e6:.2f} MB")


def as_text(value: Any) -> str:
    """A value as a form or a query carries it."""
    return value if isinstance(value, str) else json.dumps(value)


def told(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, dict) and value:
        return shortened(", ".join(f"{name}: {_one(one)}" for name, one in list(value.items())[:4]), 120)
    return str(described(value))


def _one(value: Any) -> str:
    return "a file" if value == FILE else str(described(value))


def _fields(value: Any) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _hint(schema: object) -> str:
    return " ".join(str(schema.get(key, "")) for key in ("title", "description")) if isinstance(schema, dict) else ""


def _escaped(text: str) -> str:
    """As browsers write names in forms."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
