"""Every setting of the server: its default, its unit, its environment variable, in one table."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "MOORING_"


class BadSetting(ValueError):
    """An environment variable holds what its setting cannot take."""


def _setting(default: Any, meaning: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """How the server behaves; each field is the environment variable `MOORING_` and its name in capitals."""

    host: str = _setting("127.0.0.1", "address to listen on; images set 0.0.0.0, as the platform needs")
    port: int = _setting(8080, "port to listen on; 0 takes a free one", low=0, high=65535)
    workers: int = _setting(1, "worker processes, each with a model of its own", low=1, high=512)
    python: str = _setting("", "interpreter of the workers; empty: the project's .venv, else the server's own")
    linger_seconds: float = _setting(60.0, "how long to go on answering after SIGTERM", low=0, high=86400)
    drain_limit_seconds: float = _setting(
        90.0,
        "most time from SIGTERM to the exit, linger included; what is unfinished then is given up",
        low=0,
        high=86400,
    )
    keep_alive_seconds: int = _setting(200, "how long an idle connection stays open", low=1, high=86400)
    read_timeout_seconds: float = _setting(
        60.0, "most time without a byte of a request that has begun; then the connection is closed", low=0.1, high=86400
    )
    body_limit_bytes: int = _setting(12 * 1024 * 1024, "largest request body; beyond it 413", low=1, high=1 << 32)
    predict_timeout_seconds: float = _setting(
        40.0, "most time for an answer; beyond it 504, and a worker that still runs is replaced", low=0.05, high=86400
    )
    queue_size: int = _setting(64, "most requests waiting for a worker; beyond it 429", low=0, high=100000)
    connections: int = _setting(1000, "most connections at once; beyond it 503", low=1, high=1000000)
    batch_size: int = _setting(1, "most calls given to predict_batch at once; 1: no micro-batching", low=1, high=10000)
    batch_window_ms: float = _setting(5.0, "how long a micro-batch waits to fill", low=0, high=10000)
    access_log: bool = _setting(True, "one line a request on standard output")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings of an environment.

        Raises:
            BadSetting: naming the variable, what it holds and what it takes.
        """
        known = _by_variable()
        values = {
            one.name: _value(name, environment[name], one) for name, one in known.items() if environment.get(name)
        }
        settings = cls(**values)
        if settings.drain_limit_seconds < settings.linger_seconds:
            raise BadSetting(
                f"MOORING_DRAIN_LIMIT_SECONDS is {settings.drain_limit_seconds:g}, less than MOORING_LINGER_SECONDS "
                f"({settings.linger_seconds:g}): it counts from SIGTERM and must be at least as long"
            )
        return settings

    def interpreter(self, directory: str) -> str:
        """The interpreter the workers of a project run on."""
        own = Path(directory) / ".venv" / "bin" / "python"
        return self.python or (str(own) if own.exists() else sys.executable)


def unknown(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that look like a misspelt setting, and the setting each is nearest to."""
    known = _by_variable()
    strange = (name for name in environment if name.startswith(PREFIX) and name not in known)
    near = {name: get_close_matches(name, known, n=1, cutoff=_NEAR) for name in strange}
    return {name: found[0] for name, found in near.items() if found}


def _by_variable() -> dict[str, Any]:
    return {PREFIX + one.name.upper(): one for one in fields(Settings)}


_NEAR = 0.8
_BOOLEANS = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
_KINDS = {"int": "a whole number", "float": "a number", "bool": "on or off", "str": "text"}


def _value(name: str, text: str, one: Any) -> Any:
    try:
        if one.type == "bool":
            return _BOOLEANS[text.strip().lower()]
        value = {"int": int, "float": float, "str": str}[one.type](text)
    except (ValueError, KeyError):
        raise BadSetting(f"{name} is {text!r}; it takes {_KINDS[one.type]}") from None
    low, high = one.metadata["low"], one.metadata["high"]
    if low is not None and not low <= value <= high:
        raise BadSetting(f"{name} is {text}; it takes {_KINDS[one.type]} from {low:g} to {high:g}")
    return value


def table() -> str:
    """The settings as a Markdown table: variable, default, meaning."""
    rows = (
        f"| `{PREFIX}{one.name.upper()}` | {_shown(one.default)} | {one.metadata['meaning']} |"
        for one in fields(Settings)
    )
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows, ""])


def _shown(default: Any) -> str:
    if isinstance(default, bool):
        return "`on`" if default else "`off`"
    if isinstance(default, float):
        return f"`{default:g}`"
    return f"`{default}`" if default != "" else ""
