"""A server as its start command describes it: each setting with its value and the place that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.checks.command.whole import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mooring.checks.command.place import Place
    from mooring.checks.command.python_program import PythonProgram

# Its documentation advises against it in production: it has only basic checks.
PYTHONS_OWN = "Python's http.server"
LOOPBACK, ALL = "127.0.0.1", "0.0.0.0"  # noqa: S104 - what servers bind unless told otherwise


@dataclass(frozen=True)
class Variable:
    """A variable of the environment: its value, and the instruction or the line of a script that set it last."""

    name: str
    value: str
    place: Place

    @property
    def shown(self) -> str:
        """As people look for it: `ENV PORT=80`, or `PORT=80 in /home/run.sh:2`."""
        said = f"{self.name}={self.value}"
        return f"ENV {said}" if self.place.source == f"ENV {self.name}" else f"{said} in {self.place}"


@dataclass(frozen=True)
class Setting:
    """A value and where it is said: an option, a variable, a line of a file, or the server's default.

    `variable` is the one that the value comes from, where it comes from one.
    """

    value: str
    where: str
    variable: Variable | None = None

    @property
    def told(self) -> str:
        """Where it is said, with the variable that says it."""
        return f"{self.where}, from {self.variable.shown}" if self.variable else self.where

    @property
    def number(self) -> float | None:
        """The value as a number, None if it is none."""
        try:
            number = float(self.value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None

    @property
    def port(self) -> int | None:
        """The value as a port, None if it is none."""
        return whole(self.value)

    @property
    def is_loopback(self) -> bool:
        """Whether an address is reached from inside the container only."""
        return self.value.startswith("127.") or self.value in ("localhost", "::1", "[::1]")


def traced(setting: Setting | None, candidates: Iterable[Variable | None]) -> Setting | None:
    """The setting with the variable that its value comes from: the first that is set, and to that."""
    found = sorted((one for one in candidates if one and setting and one.value == setting.value), key=str)
    return replace(setting, variable=found[0]) if setting and found else setting


@dataclass(frozen=True, kw_only=True)
class Server:
    """What is started. A setting of None is not known.

    `idle` is how many seconds an idle connection is kept. `worker` is gunicorn's worker class. `development` says what
    makes it a server for development, "" if nothing. `app` is the `module:object` it is given and `app_folder` the
    folder it is told to look in. `stated` is the call of the source that starts it, and
    `form` how it is written, with `{host}` and `{port}` in their places. `flushes` tells that it writes its
    output out by itself.
    """

    kind: str
    host: Setting | None = None
    port: Setting | None = None
    idle: Setting | None = None
    worker: Setting | None = None
    development: str = ""
    app: str = ""
    app_folder: str = ""
    stated: str = ""
    form: str = ""
    flushes: bool = False
    python: PythonProgram | None = None


def split_address(address: str) -> tuple[str, str | None]:
    """Host and port of `0.0.0.0:8080`, `:8080`, `[::]:8080`, `http://host:80`; the port is None where none is named."""
    address = address.rpartition("://")[2]
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        return address, None
    return host.strip("[]") if host not in ("", "*") else ALL, port
