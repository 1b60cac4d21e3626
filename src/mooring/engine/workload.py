"""What an engine is asked to keep, what it sees of it, and the promise that every engine keeps."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime

    from mooring.engine.probe import Answer

# Longest name of a workload: what container engines, Kubernetes and host names all take (RFC 1123, one label).
NAME_CHARACTERS = 63


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question about a workload's health: an HTTP path on its port, or a command run inside it.

    An answer of 2xx, or exit code 0, is healthy. Without `url` and `command` any HTTP answer at `/` is: then it is only
    asked whether a server answers at all, as the contract has it for images without a health check.
    """

    url: str = ""
    command: str = ""
    timeout_seconds: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One replica that is to run, wherever that is: from an image, or from a project's folder on this machine.

    `name` is unique among all workloads of a platform (a label of RFC 1123, at most 63 characters); by its `labels` a
    platform knows it again. `env` are its variables. Limits of None are no limits. `image` and `project` are
    alternatives; each engine says which it takes. `command` stands in for the image's own ENTRYPOINT and CMD; a project
    has none of its own (project/serving.py makes it). `files` are texts by their names that the process engine writes
    beside it, private and gone with it; a word of `command` that is `{files}/NAME` becomes the path of one.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    project: str = ""
    command: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = 8080
    protocol: str = "http"
    cpu_cores: float | None = None
    memory_bytes: int | None = None
    stop_seconds: float = 90.0


class State(enum.Enum):
    """How far a workload has come, as far as its engine can tell without asking it."""

    STARTING = "starting"  # made, or being made, and nothing to be reached yet
    RUNNING = "running"  # its process runs and it has an address; whether it answers, `ask` tells
    STOPPING = "stopping"  # it was told to end
    EXITED = "exited"  # its process has ended, or could never be started


@dataclass(frozen=True, kw_only=True)
class WorkloadSighting:
    """A workload at one moment.

    `url` is where it is reached from this machine, `http://172.17.0.2:8080`; "" unless RUNNING or STOPPING. `exit_code`
    and `why` (one line: the engine's words, a signal's name, out of memory) are there when it has EXITED.
    """

    name: str
    labels: Mapping[str, str]
    state: State
    url: str = ""
    started_at: datetime | None = None
    exit_code: int | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a workload uses at the moment, processors (1.0 is a whole one) and bytes of memory, and what it may use."""

    cpu_cores: float
    memory_bytes: int
    cpu_cores_limit: float | None = None
    memory_bytes_limit: int | None = None


@dataclass(frozen=True)
class LogLine:
    """One line that a workload wrote, without its line end; `stream` is `stdout` or `stderr`, `time` is UTC."""

    time: datetime
    stream: str
    text: str


class Engine(Protocol):
    """A place where workloads live. It remembers nothing: what it says is read from the world.

    It keeps apart what belongs to different platforms (by the platform's id, handed in when the engine is opened) and
    never touches anything else. Every call raises Unavailable when the place does not answer.
    """

    @property
    def name(self) -> str:
        """`process`, `docker`, `memory`."""
        ...

    async def apply(self, workload: Workload) -> None:
        """Make it be, if nothing of that name is; what is there already, running or ended, stays as it is.

        What cannot be started (no such command, no memory) is no error: it is seen as EXITED, with the reason.

        Raises:
            NotFound: there is no such image or project.
            Refused: this engine cannot run it (an image on the process engine, for one).
        """
        ...

    async def remove(self, name: str, *, grace_seconds: float) -> None:
        """Make it not be: SIGTERM, SIGKILL after the grace, and every trace gone when this returns; idempotent."""
        ...

    async def observe(self) -> Mapping[str, WorkloadSighting]:
        """Every workload of this platform by its name, whoever started it and when."""
        ...

    async def ask(self, name: str, probe: Probe) -> Answer:
        """Ask it once; an answer that is not `ok` says how it failed. NotFound when there is no such workload."""
        ...

    async def measure(self) -> Mapping[str, Usage]:
        """What each running workload uses; those of which it cannot be told are left out."""
        ...

    def logs(self, name: str, *, since: datetime | None = None, follow: bool = False) -> AsyncIterator[LogLine]:
        """What it wrote, oldest first, later than `since`; with `follow` until it has ended. NotFound as `ask`."""
        ...

    async def diagnose(self, name: str) -> str:
        """Why it is not well, in a few lines a person can act on; "" when nothing is known against it."""
        ...

    async def close(self) -> None:
        """Let go of connections; workloads stay as they are."""
        ...
