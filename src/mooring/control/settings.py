"""What a platform is told when it starts, on the command line or in `platform.toml` in its data folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.control import flavors

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.control.flavors import Flavor

FILE_NAME = "platform.toml"
# A database's address may hold a password, which has no place among the arguments of a process.
DATABASE_VARIABLE = "MOORING_DATABASE"


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """How much a project may have; None is what the edition says, and no limit where it says nothing."""

    services: int | None = None
    instances: int | None = None
    """Of one model version in one service."""


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How often, and for how long, in seconds."""

    resync_seconds: float = 1.0
    """Between two looks at a service whose wishes did not change."""
    probe_seconds: float = 1.0
    """Between two probes of a replica that has not answered yet."""
    deploy_timeout_seconds: float = 1200.0
    """For a replica to become ready, where its service does not say."""
    drain_seconds: float = 60.0
    """For the last calls of a replica to end once it gets no new ones."""
    grace_seconds: float = 30.0
    """Between SIGTERM and SIGKILL, where its service does not say."""
    backoff_seconds: float = 1.0
    """Before a replica that died is started again; doubles each time."""
    backoff_limit_seconds: float = 300.0
    gateway_lost_seconds: float = 10.0
    """After which a gateway that says nothing counts as gone."""
    database_seconds: float = 5.0
    """For which a database that is locked or away is waited for."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that can be chosen about a platform; each has a default that is right for one machine."""

    data: Path
    """The folder of all that it keeps."""
    listen: str = "127.0.0.1:8000"
    engine: str = "auto"
    """auto, process, docker or memory."""
    edition: str = "otc-2022"
    database: str = field(default="", repr=False)
    """A URL as SQLAlchemy has them; "" is mooring.db in the data folder."""
    gate: str = "strict"
    """What an import must pass: strict, static or off."""
    public_url: str = ""
    """Under which clients reach it, where that is not what it listens on."""
    quotas: Quotas = field(default_factory=Quotas)
    flavors: tuple[Flavor, ...] = flavors.DEFAULT
    log_bytes_per_replica: int = 64 * 1024**2
    timings: Timings = field(default_factory=Timings)

    @classmethod
    def read(cls, data: Path, **chosen: Any) -> Settings:
        """The settings of the platform in the folder `data`; what is chosen, and is not None, goes above its file.

        Raises:
            Invalid: `platform.toml` is not TOML, has a key that does not exist (the hint names the nearest), or a value
                of the wrong type.
        """
        raise NotImplementedError
