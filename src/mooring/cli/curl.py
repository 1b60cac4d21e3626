"""The command lines that call an api, with curl and with `mooring predict`, for a person to copy."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from mooring.contract import schema
from mooring.project.samples import sample_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

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
        words += _form(api, "FILE") if _is_form(api) else [*_type(api), "-d", _json(api)]
    return _line(words)


def predict(api: Api, place: str, *, folder: Path | None = None) -> str:
    """The `mooring predict` command for one api at `place` (`127.0.0.1:8080`), for a POST or a GET.

    Files are the first that fits in the folder `samples` of the project in `folder`, `@FILE` when there is none.
    """
    words = ["mooring", "predict", f"{place}{api.url}"]
    if api.method not in ("GET", "POST"):
        words += ["-X", api.method]
    if api.method == "GET":
        return _line(words)
    if _is_form(api):
        return _line([*words, *_form(api, sample_file(folder, but=(".json", ".py")) or "FILE")])
    sample = sample_file(folder, only=(".json",))
    return _line([*words, "-d", f"@{sample}" if sample else _json(api)])


def argument(path: Path) -> str:
    """A path as a word of a command line: quoted for the shell, and no option even where it begins like one."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def _line(words: Iterable[str]) -> str:
    return " ".join(word if word.endswith("=@FILE") else shlex.quote(word) for word in words)


def _is_form(api: Api) -> bool:
    return api.request.content_type.lower().startswith(MULTIPART)


def _form(api: Api, file: str) -> list[str]:
    properties = api.request.data.get("properties", {})
    files = set(api.file_fields)
    words = []
    for name, declared in properties.items():
        value = f"@{file}" if name in files else _text(schema.example(declared))
        words += ["-F", f"{name}={value}"]
    return words


def _type(api: Api) -> list[str]:
    return ["-H", f"Content-Type: {api.request.content_type or 'application/json'}"]


def _json(api: Api) -> str:
    text = json.dumps(schema.example(api.request.data) if api.request.data else {}, ensure_ascii=False)
    return text if len(text) <= LONGEST_BODY else "@FILE.json"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
