"""Which programs and files are odd in an application's folder, but usual where a distribution puts them."""

from __future__ import annotations

import functools
import tomllib
from importlib.resources import files


@functools.cache
def usual(kind: str) -> frozenset[str]:
    """Names of files, without their folders; `kind` is "suid", "capabilities" or "cron"."""
    text = files(__package__).joinpath("usual.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)[kind])
