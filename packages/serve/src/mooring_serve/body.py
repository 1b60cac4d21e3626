"""From the bytes of a request to the value and the files that its API declares, or a 400 that names the field."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jsonschema_rs
import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from mooring_serve.config import MULTIPART, Api
from mooring_serve.problem import Problem, invalid

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_MAX_PARTS = 128
_SHOWN = 60
_SHOWN_ITEMS = 5
_NAMES = {bool: "a boolean", int: "an integer", float: "a number", str: "a text", list: "an array", dict: "an object"}

# (field, file name, content type, content)
Part = tuple[str, str, str, bytes]


class Body(NamedTuple):
    """What a request carries: a JSON value or the text fields of a form, and files."""

    value: Any
    files: list[Part]


class Reader:
    """Reads and judges the bodies of one API; made once, from what `config.json` declares."""

    def __init__(self, api: Api, *, enforce: bool) -> None:
        self._where = f"{api.method} {api.url}"
        self._takes_form = api.content_type in (MULTIPART, FORM)
        self._takes_json = api.content_type == JSON or api.content_type.endswith("+json")
        self._content_type = api.content_type
        self._enforce = enforce
        self._files = api.files if api.content_type == MULTIPART else ()
        self._required = _required(api, self._files)
        self._schema = {} if not enforce else without_files(api.schema, self._files)
        self._properties: dict[str, Any] = self._schema.get("properties", {})
        self._validator = (
            jsonschema_rs.Draft202012Validator(self._schema, offline=True, mask="it") if self._schema else None
        )
        self._decode = msgspec.json.Decoder().decode

    def read(self, content_type: str, query: str, body: bytes) -> Body:
        """Read one body.

        Args:
            content_type: the header as it came, "" if none.
            query: the query string; its fields are read when there is no body.
            body: the whole body.

        Raises:
            Problem: 400 or 415, naming the field and what was expected of it.
        """
        kind = content_type.partition(";")[0].strip().lower()
        if not self._enforce:
            return self._read_anything(kind, content_type, query, body)
        if kind == MULTIPART:
            if not self._takes_form:
                raise Problem(
                    415, "UNSUPPORTED_MEDIA_TYPE", f"{self._where} takes {self._content_type}, not {MULTIPART}"
                )
            return self._checked(multipart(content_type, body, self._files))
        if not body and query and (self._takes_json or self._takes_form):
            return self._checked(Body(dict(parse_qsl(query, keep_blank_values=True)), []), texts=True)
        if self._takes_form:
            if FORM in (self._content_type, kind):
                return self._checked(Body(dict(_form(body)), []), texts=True)
            raise self._not_a_form(kind)
        if self._takes_json:
            return self._checked(Body(self._json(body), []))
        return Body(None, [("body", "", kind or "application/octet-stream", body)])

    def _read_anything(self, kind: str, content_type: str, query: str, body: bytes) -> Body:
        """For packages, whose own code judges the request: forms and JSON alike, query fields laid over them."""
        told = dict(parse_qsl(query, keep_blank_values=True))
        if kind == MULTIPART:
            value, files = multipart(content_type, body)
            return Body({**value, **told}, files)
        if kind == FORM and not body.lstrip().startswith((b"{", b"[")):
            return Body({**dict(_form(body)), **told}, [])
        if kind.startswith("text/"):
            return Body({**told, "body": _text("body", body)} if told else _text("body", body), [])
        value = self._json(body) if body else {}
        return Body({**value, **told} if isinstance(value, dict) else value, [])

    def _json(self, body: bytes) -> Any:
        if not body:
            if self._validator is None and not self._required:
                return {}
            raise invalid(f"the body is empty; {self._where} takes JSON")
        try:
            return self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise invalid(f"the body is not JSON: {error}") from None
        except RecursionError:
            raise invalid("the body is not JSON that can be read: it is nested too deep") from None

    def _checked(self, body: Body, *, texts: bool = False) -> Body:
        value, files = body
        if self._takes_form or texts:
            value = {name: self._converted(name, text) for name, text in value.items()}
            self._check_files(value, files)
        try:
            if self._validator is not None and not self._validator.is_valid(value):
                raise invalid(explain(next(iter(self._validator.iter_errors(value))), value))
        except ValueError as error:  # deeper than the validator goes
            raise invalid(f"the body cannot be judged: {_short(str(error))}") from None
        return Body(value, files)

    def _check_files(self, value: dict[str, Any], files: list[Part]) -> None:
        came = [name for name, _, _, _ in files]
        for name in self._files:
            if name in value:
                raise invalid(
                    f"field {name!r} came as text ({_short(value[name])}), expected a file: "
                    f"with curl, write -F {name}=@FILE"
                )
            if name in self._required and name not in came:
                got = ", ".join([*came, *value]) or "nothing"
                raise invalid(f"field {name!r} is missing: {self._where} takes the file {name!r}, and got {got}")
        for name in came:
            if came.count(name) > 1:
                raise invalid(f"field {name!r} came {came.count(name)} times, expected one file")
            if name in self._properties:
                raise invalid(f"field {name!r} came as a file, expected {_expected(self._properties[name])}")

    def _converted(self, name: str, text: Any) -> Any:
        """A form's text as the type its field declares."""
        kinds = self._properties.get(name, {}).get("type", "string")
        if kinds == "string" or "string" in kinds:
            return text
        try:
            return self._decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise invalid(f"field {name!r}: expected {_expected(self._properties[name])}, got {_short(text)}") from None

    def _not_a_form(self, kind: str) -> Problem:
        example = " ".join(f"-F {name}=@FILE" for name in self._files) or "-F field=value"
        return Problem(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"{self._where} takes {MULTIPART}, got {kind or 'no content type'}: with curl, write {example}",
        )


def _required(api: Api, files: tuple[str, ...]) -> tuple[str, ...]:
    """The files that must come: all that are declared, unless the schema says which fields are required."""
    return tuple(name for name in files if name in api.schema.get("required", files))


def without_files(schema: dict[str, Any], files: tuple[str, ...]) -> dict[str, Any]:
    """The schema of what is left when the files are taken out."""
    if not files:
        return schema
    told = {**schema, "properties": {name: one for name, one in schema["properties"].items() if name not in files}}
    if "required" in told:
        told["required"] = [name for name in told["required"] if name not in files]
    return told


def multipart(content_type: str, body: bytes, declared: tuple[str, ...] = ()) -> Body:
    """The fields and files of a multipart body; nothing is written to disk.

    Args:
        content_type: the header, with the boundary.
        body: the whole body.
        declared: fields that are files even when the client sends no file name, but a type.

    Raises:
        Problem: 400, saying what is broken.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get("boundary")
    if not boundary:
        raise invalid(f"{MULTIPART} without a boundary: let the client write the Content-Type header itself")
    fields: dict[str, str] = {}
    files: list[Part] = []
    try:
        segments = list(_segments(boundary, body))
    except (MultipartError, ValueError) as error:
        raise invalid(f"the {MULTIPART} body is broken: {error}") from None
    for segment, content in segments:
        name, filename = segment.name, segment.filename
        if "\0" in name or "\0" in (filename or ""):
            raise invalid("a field's name or file name holds a NUL character")
        if filename is None and not (name in declared and segment.content_type):
            if name in fields:
                raise invalid(f"field {name!r} came twice")
            fields[name] = _text(name, content)
        else:
            files.append((name, filename or "", segment.content_type or "application/octet-stream", content))
    return Body(fields, files)


def _segments(boundary: str, body: bytes) -> list[tuple[MultipartSegment, bytes]]:
    parser = PushMultipartParser(boundary, content_length=len(body), max_segment_count=_MAX_PARTS, strict=True)
    found: list[tuple[MultipartSegment, bytes]] = []
    pieces: list[bytes] = []
    with parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                segment, pieces = event, []
            elif event is None:
                found.append((segment, bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)))
            else:
                pieces.append(event)
        list(parser.parse(b""))
    return found


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_PARTS)
    except ValueError as error:
        raise invalid(f"the form is broken: {error}") from None


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise invalid(f"field {name!r} is not text in UTF-8") from None


def explain(error: jsonschema_rs.ValidationError, value: Any) -> str:
    """One sentence for what does not fit the schema: where, what was expected, what came."""
    kind = error.kind
    came = value
    for step in error.instance_path:
        came = came[step]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        got = ", ".join(_short(name, 20) for name in list(came)[:_SHOWN_ITEMS]) or "nothing"
        return f"field {path([*error.instance_path, kind.property])!r} is missing: got {got}"
    where = path(error.instance_path) or "the body"
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Type):
        return f"{where}: expected {_article(' or '.join(kind.types))}, got {_came(came)}"
    return f"{where}: {_short(error.message, 200)}, got {_came(came)}"


def path(steps: list[str | int]) -> str:
    """A place in a JSON value as people write it: `data.rows[0].age`."""
    told = ""
    for step in steps:
        told += f"[{step}]" if isinstance(step, int) else f".{step}" if told else step
    return told


def _expected(schema: Any) -> str:
    kinds = schema.get("type", "a value") if isinstance(schema, dict) else "a value"
    return _article(kinds if isinstance(kinds, str) else " or ".join(kinds))


def _article(kind: str) -> str:
    return kind if kind.startswith("a ") else f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def _came(value: Any) -> str:
    """What a value is, and the value itself if it is short: it may be megabytes."""
    names = {
        bool: "a boolean",
        int: "an integer",
        float: "a number",
        str: "a text",
        list: "an array",
        dict: "an object",
    }
    name = "null" if value is None else names.get(type(value), type(value).__name__)
    if value is None or (isinstance(value, (list, dict)) and len(value) > _SHOWN_ITEMS):
        return name
    if isinstance(value, (list, dict)) and any(isinstance(one, (list, dict, str)) for one in _items(value)):
        return name
    return f"{name} ({_short(value)})"


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value


def _short(value: Any, most: int = _SHOWN) -> str:
    told = value[: most + 1] if isinstance(value, str) else msgspec.json.encode(value).decode()
    return told if len(told) <= most else f"{told[:most]}..."
