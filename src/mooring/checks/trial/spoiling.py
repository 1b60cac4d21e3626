"""Requests that an api should refuse, and politely: what clients get wrong, made from its schema."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mooring.checks.trial.files import File
from mooring.checks.trial.question import (
    FORM,
    JSON,
    Question,
    form,
    form_request,
    json_request,
    kind_of,
    question,
    told,
    with_query,
)
from mooring.checks.trial.sightings import Purpose
from mooring.contract import schema
from mooring.engine.wire import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mooring.contract import Api

MOST_FIELDS = 12
DEEP = 100_000
WRONG_TOPS: tuple[Any, ...] = ([], {}, "text", 7, None)
WRONG_FIELDS: tuple[Any, ...] = ("text", 7, None, [], {}, True)
UNKNOWN_METHOD = "MOORING"
# To what is merely odd, anything but a failure is in order; of an unknown method HTTP itself says 501.
UNREMARKABLE = frozenset({*range(100, 500), 501})


def spoiled(api: Api, samples: Mapping[str, File]) -> Iterator[Question]:
    """Bad requests to one api, what matters most first; always the same."""
    kind = kind_of(api)
    made = {"query": _queries, FORM: _forms}.get(kind, _documents)(api, samples)
    seen = set()
    for sent, request in made:
        if (request.url, request.body) not in seen:
            seen.add((request.url, request.body))
            yield Question(api, Purpose.INVALID, sent, request)
    for sent, request in _odd(api, samples):
        yield Question(api, Purpose.INVALID, sent, request, unremarkable=UNREMARKABLE)


def _documents(api: Api, _samples: Mapping[str, File]) -> Iterator[tuple[str, Request]]:
    value = schema.example(api.request.data)
    text = json.dumps(value).encode()

    def asked(body: bytes) -> Request:
        return json_request(api, body)

    yield "text that is not JSON", asked(b"{this is not JSON")
    yield "an empty body", asked(b"")
    yield "JSON that ends too early", asked(text[: max(1, len(text) // 2)] if len(text) > 2 else b"[")  # noqa: PLR2004 - {}
    for missing, without in _without(value):
        if schema.validate(api.request.data, without):
            yield f"JSON without {missing!r}", asked(json.dumps(without).encode())
    for what, other in _wrong(api, value):
        yield what, asked(json.dumps(other).encode())
    yield "bytes that are not UTF-8", asked(b'{"text": "\xff\xfe\xfa"}')
    yield f"lists nested {DEEP} deep", asked(b"[" * DEEP + b"]" * DEEP)


def _forms(api: Api, samples: Mapping[str, File]) -> Iterator[tuple[str, Request]]:
    value = schema.example(api.request.data)
    good = question(api, Purpose.EXAMPLE, value, samples)
    body = good.request.body or b""
    for missing, without in _without(value, depth=0):
        if schema.validate(api.request.data, without):
            yield (
                f"a form without {missing!r}",
                form_request(api, form(question(api, Purpose.EXAMPLE, without, samples).parts)),
            )
    for name, part in good.parts:
        yield from _spoiled_parts(api, good, name, part)
    yield "an empty body", form_request(api, b"")
    yield "a form that names no boundary", Request(api.method, api.url, {"Content-Type": FORM}, body)
    yield "a form that ends too early", form_request(api, body[: len(body) // 2])
    yield "bytes that are no form", form_request(api, b"\xff\x00 this is no form \r\n\r\n")
    yield "JSON instead of a form", Request(api.method, api.url, {"Content-Type": JSON}, b"{}")


def _spoiled_parts(api: Api, good: Question, name: str, part: File | str) -> Iterator[tuple[str, Request]]:
    """The form with one part that is not what it should be."""

    def asked(other: File | str) -> Request:
        return form_request(api, form([(key, other if key == name else one) for key, one in good.parts]))

    if isinstance(part, File):
        yield f"an empty file for {name!r}", asked(replace(part, data=b""))
        yield (
            f"bytes that are no such file for {name!r}",
            asked(replace(part, data=b"this is no such file\xff\x00" * 9)),
        )
        yield f"half of a file for {name!r}", asked(replace(part, data=part.data[: len(part.data) // 2]))
        yield f"a text instead of a file for {name!r}", asked("text")
    else:
        field = (api.request.data.get("properties") or {}).get(name, {})
        if schema.validate(field, "text") and schema.validate(field, part):
            yield f"the text 'text' for {name!r}", asked("text")


def _queries(api: Api, samples: Mapping[str, File]) -> Iterator[tuple[str, Request]]:
    value = schema.example(api.request.data)
    for missing, without in _without(value, depth=0):
        if schema.validate(api.request.data, without):
            yield f"a query without {missing!r}", question(api, Purpose.EXAMPLE, without, samples).request
    properties = api.request.data.get("properties") or {}
    for name, one in itertools.islice(value.items() if isinstance(value, dict) else (), MOST_FIELDS):
        if not isinstance(one, str) and schema.validate(properties.get(name, {}), "text"):
            other = {**value, name: "text"}
            yield f"the text 'text' for {name!r}", Request(api.method, with_query(api.url, other))


def _odd(api: Api, samples: Mapping[str, File]) -> Iterator[tuple[str, Request]]:
    """Good requests with something odd about them, which one server takes and another does not, both rightly."""
    good = question(api, Purpose.EXAMPLE, schema.example(api.request.data), samples)
    if kind_of(api) not in ("query", FORM):
        yield "JSON called a form without boundary", replace(good.request, headers={"Content-Type": FORM})
        yield "JSON called text/plain", replace(good.request, headers={"Content-Type": "text/plain"})
        yield "NaN in place of a value", json_request(api, b'{"value": NaN}')
    yield f"the unknown method {UNKNOWN_METHOD}", replace(good.request, method=UNKNOWN_METHOD)


def _without(value: Any, *, depth: int = 2) -> Iterator[tuple[str, Any]]:
    """The value without one of its fields, for each, the outer ones first; at most a dozen of each object."""
    if not isinstance(value, dict):
        return
    names = list(value)[:MOST_FIELDS]
    for name in names:
        yield name, {key: one for key, one in value.items() if key != name}
    for name in names if depth else ():
        inner = value[name][0] if isinstance(value[name], list) and value[name] else value[name]
        for missing, without in _without(inner, depth=depth - 1):
            rest = [without, *value[name][1:]] if isinstance(value[name], list) else without
            yield f"{name}.{missing}", {**value, name: rest}


def _wrong(api: Api, value: Any) -> Iterator[tuple[str, Any]]:
    """Values of the wrong type, as a whole and in each field, that the schema does not allow."""
    data = api.request.data
    for top in WRONG_TOPS:
        if schema.validate(data, top):
            yield f"{told(top)} instead of {told(value) if not isinstance(value, dict) else 'an object'}", top
    for path, other in _wrong_fields(value):
        changed = _changed(value, path, other)
        if schema.validate(data, changed):
            yield f"{told(other)} for {'.'.join(map(str, path))!r}", changed


def _wrong_fields(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Two values of other types for each place, the outer ones first."""
    places: list[tuple[str | int, ...]] = (
        [(name,) for name in list(value)[:MOST_FIELDS]] if isinstance(value, dict) else []
    )
    while places:
        path = places.pop(0)
        inner = _at(value, path)
        yield from ((path, other) for other in [one for one in WRONG_FIELDS if type(one) is not type(inner)][:2])
        if len(path) < 4:  # noqa: PLR2004 - data.req_data[0].age
            below = (
                list(inner)[:MOST_FIELDS]
                if isinstance(inner, dict)
                else [0]
                if inner and isinstance(inner, list)
                else []
            )
            places += [(*path, step) for step in below]


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _changed(value: Any, path: tuple[str | int, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(value))
    _at(copy, path[:-1])[path[-1]] = other
    return copy
