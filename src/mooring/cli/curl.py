"""The command line that calls an api, for a person to copy."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from mooring.contract import schema

if TYPE_CHECKING:
    from mooring.contract import Api

MULTIPART = "multipart/form-data"
# A longer example would fill the screen; it is cut to its beginning and marked so.
LONGEST_BODY = 400


def curl(api: Api, base: str) -> str:
    """The curl command for one api below `base` (`http://127.0.0.1:8080`), with an example made from its schema.

    File fields are shown as `@FILE`, for the reader to fill in.
    """
    words = ["curl", *(() if api.method == "GET" else ("-X", api.method)), f"{base}{api.url}"]
    if api.method != "GET":
        words += _form(api) if api.request.content_type.lower().startswith(MULTIPART) else _json(api)
    return " ".join(word if word.endswith("=@FILE") else shlex.quote(word) for word in words)


def _form(api: Api) -> list[str]:
    properties = api.request.data.get("properties", {})
    files = set(api.file_fields)
    words = []
    for name, declared in properties.items():
        value = "@FILE" if name in files else _text(schema.example(declared))
        words += ["-F", f"{name}={value}"]
    return words


def _json(api: Api) -> list[str]:
    kind = api.request.content_type or "application/json"
    text = json.dumps(schema.example(api.request.data) if api.request.data else {}, ensure_ascii=False)
    shown = text if len(text) <= LONGEST_BODY else "@FILE.json"
    return ["-H", f"Content-Type: {kind}", "-d", shown]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
