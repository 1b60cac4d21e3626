"""What is asked of an engine, and what is seen of a container and its image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """What a container that nobody trusts is held to, beside its memory: processes and threads, files, bytes of log.

    `limits` are resource limits by their names (setrlimit(2)), as of open files; with none, the engine's own.
    `disk_bytes` is what it may write in all; `cpu_shares` its part of the processors when others want them, 1024 being
    usual (0: as the engine does).
    """

    processes: int = 2048
    limits: Mapping[str, int] = field(default_factory=lambda: {"nofile": 16384, "core": 0})
    log_bytes: int = 32 << 20
    disk_bytes: int = 10_000_000_000
    cpu_shares: int = 0
    # Reserved for documents (RFC 5737): no name server will ever answer there, so that names lead nowhere.
    name_server: str = "192.0.2.1"

    def options(self) -> dict[str, Any]:
        """It in the words of the SDK's `create_host_config`. Without `init`, the image's own program is process 1."""
        return {
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "pids_limit": self.processes,
            **({"cpu_shares": self.cpu_shares} if self.cpu_shares else {}),
            "ulimits": [{"Name": name, "Soft": limit, "Hard": limit} for name, limit in self.limits.items()],
            "log_config": {"Type": "json-file", "Config": {"max-size": str(self.log_bytes), "max-file": "1"}},
            "init": False,
            "dns": [self.name_server],
            "dns_search": ["."],
            "dns_opt": ["timeout:1", "attempts:1"],
        }


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A container to be: `port` is inside it, `host_port` on this machine's loopback (0: any that is free).

    Without `published` it is reached at its own address on `network`, where this machine sees that. `entrypoint` and
    `command` stand in for the image's own. `confinement` holds what is not trusted.
    """

    image: str
    port: int = 8080
    host_port: int = 0
    name: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    memory_bytes: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: int = 90
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    network: str = ""
    published: bool = True
    confinement: Confinement | None = None

    def host_options(self) -> dict[str, Any]:
        """What of it concerns the machine, in the words of the SDK's `create_host_config`."""
        options: dict[str, Any] = self.confinement.options() if self.confinement else {}
        if self.published:
            options["port_bindings"] = {self.port: ("127.0.0.1", self.host_port or None)}
        if self.network:
            options["network_mode"] = self.network
        if self.memory_bytes:
            options |= {"mem_limit": self.memory_bytes, "memswap_limit": self.memory_bytes}
        return options


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A container at one moment; `exit_code` is None while it runs, `error` is the engine's, if it has one.

    It is reached at `host` and `host_port`, 0 when it is not to be reached.
    """

    id: str
    name: str
    running: bool
    exit_code: int | None
    oom_killed: bool
    error: str
    started_at: str
    pid: int
    host_port: int
    host: str = "127.0.0.1"


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
