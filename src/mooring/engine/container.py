"""What is asked of an engine, and what is seen of a container and its image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A container to be: `port` is inside it, `host_port` on this machine's loopback (0: any that is free)."""

    image: str
    port: int = 8080
    host_port: int = 0
    name: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 90


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A container at one moment; `exit_code` is None while it runs, `error` is the engine's, if it has one."""

    id: str
    name: str
    running: bool
    exit_code: int | None
    oom_killed: bool
    error: str
    started_at: str
    pid: int
    host_port: int


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What an engine tells of an image without running it; `command` is its entrypoint and command in one."""

    reference: str
    id: str
    architecture: str
    labels: Mapping[str, str]
    command: tuple[str, ...]


class LogStream(Protocol):
    """Pieces of a container's output as they come; `close`, from any thread, ends the iteration."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Stop listening."""
