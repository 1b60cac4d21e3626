"""The clean form of `config.json`, and nothing else: all tolerance for odd files lives where that form is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MULTIPART = "multipart/form-data"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class NotClean(ValueError):
    """The file is not in the clean form; the message says where, and what makes it so."""


@dataclass(frozen=True)
class Api:
    """One API: where it answers, and what its requests look like."""

    method: str
    url: str
    content_type: str
    schema: dict[str, Any]

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the form fields that are files."""
        properties = self.schema.get("properties", {})
        return tuple(name for name, one in properties.items() if isinstance(one, dict) and one.get("type") == "file")


@dataclass(frozen=True)
class Config:
    """What the server needs to know of a project."""

    path: Path
    apis: tuple[Api, ...]
    health_url: str
    is_package: bool  # a ModelArts package: its own code judges the requests


def find(directory: Path) -> Path:
    """The project's `config.json`, at its root or in `model/`.

    Raises:
        NotClean: there is none.
    """
    for place in (directory / "config.json", directory / "model" / "config.json"):
        if place.is_file():
            return place
    raise NotClean(f"{directory} holds no config.json, neither at its root nor in model/")


def read(path: Path, *, is_package: bool) -> Config:
    """Read a clean form.

    Raises:
        NotClean: the file is unreadable or not in the clean form.
    """
    try:
        told = json.loads(path.read_bytes())
        apis = tuple(_api(one, f"apis[{number}]") for number, one in enumerate(_of(told, "apis", list, "config.json")))
        health = told.get("health", {})
        url = _of(health, "url", str, "health") if health else "/health"
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        raise NotClean(
            f"{path.name} is not in the clean form: {reason}. `mooring config check` says what is odd about it, "
            "`mooring config show` prints the clean form, and `mooring serve` and `mooring build` use it by themselves"
        ) from error
    return Config(path, apis, url, is_package)


def _api(told: Any, where: str) -> Api:
    method = _of(told, "method", str, where)
    if method not in METHODS:
        raise ValueError(f"{where}.method is {method!r}, expected one of {', '.join(METHODS)}")
    url = _of(told, "url", str, where)
    if not url.startswith("/"):
        raise ValueError(f"{where}.url is {url!r}, expected a path that starts with /")
    request = _of(told, "request", dict, where)
    content_type = _of(request, "Content-type", str, f"{where}.request")
    schema = _of(request, "data", dict, f"{where}.request")
    return Api(method, url, content_type.lower(), schema)


def _of(told: Any, key: str, kind: type, where: str) -> Any:
    if not isinstance(told, dict):
        raise ValueError(f"{where} is a {type(told).__name__}, expected an object")  # noqa: TRY004 - one error a file
    if key not in told:
        raise ValueError(f"{where} has no {key!r}")
    value = told[key]
    if not isinstance(value, kind):
        raise ValueError(f"{where}.{key} is a {type(value).__name__}, expected a {kind.__name__}")  # noqa: TRY004
    return value
