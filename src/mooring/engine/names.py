"""The names that workloads and platforms may have: one label of a host name, fit for a folder and for a container."""

from __future__ import annotations

import re

from mooring.engine.workload import NAME_CHARACTERS
from mooring.errors import Invalid

LABEL = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{NAME_CHARACTERS - 2}}}[a-z0-9])?")


def is_name(name: str) -> bool:
    """Whether it is a label of RFC 1123 in lower case."""
    return bool(LABEL.fullmatch(name))


def require_name(name: str) -> str:
    """The name itself; Invalid when it is none."""
    if not is_name(name):
        raise Invalid(
            f"{name!r} cannot be a workload's name: it takes lower-case letters, digits and dashes between them, "
            f"at most {NAME_CHARACTERS}"
        )
    return name
