"""Names of things in a place: which are allowed, and which are hidden."""

from __future__ import annotations

from mooring.contract.node import shortened
from mooring.errors import Invalid


def require_inside(name: str) -> str:
    """The name, which leads to something in the place. Invalid for every other."""
    parts = name.split("/")
    if not name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise Invalid(f"{shortened(name)!r} is no name of something in a folder", hint="write folder/file")
    return name


def is_hidden(name: str) -> bool:
    """Whether a part of the name begins with a dot."""
    return name.startswith(".") or "/." in name
