"""What a platform is told when it starts, on the command line or in `platform.toml` in its data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.contract.edition import edition
from mooring.contract.names import did_you_mean
from mooring.control import flavors
from mooring.control.settings_file import flavor_list, read_toml, size, storage, table, text
from mooring.errors import Invalid
from mooring.storage import StorageSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mooring.control.flavors import Flavor

FILE_NAME = "platform.toml"
# A database's address may hold a password, which has no place among the arguments of a process.
DATABASE_VARIABLE = "MOORING_DATABASE"
ENGINES = ("auto", "process", "docker", "memory")
GATES = ("strict", "static", "off")
LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """How much a project may have; None is what the edition says, and no limit where it says nothing."""

    services: int | None = None
    instances: int | None = None
    """Of one model version in one service."""
    batch_services: int | None = None


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
    storage: StorageSettings = field(default_factory=StorageSettings)
    """How batch services reach their input and output."""

    @classmethod
    def read(cls, data: Path, *, environ: Mapping[str, str] = os.environ, **chosen: Any) -> Settings:
        """The settings of the platform in the folder `data`.

        What is chosen, and is not None, goes above MOORING_DATABASE and MOORING_STORAGE_* in the environment, and those
        above the folder's `platform.toml`.

        Raises:
            Invalid: `platform.toml` is not TOML, has a key that does not exist (the hint names the nearest), or a
                setting has a value that it cannot have.
            NotFound: there is no such edition.
        """
        said = _from_file(data / FILE_NAME)
        if environ.get(DATABASE_VARIABLE):
            said["database"] = environ[DATABASE_VARIABLE]
        said["storage"] = storage(said.get("storage", {}), environ)
        said |= {name: value for name, value in chosen.items() if value is not None}
        settings = cls(data=data, **said)
        _check(settings)
        return settings

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on; port 0 is one that the kernel chooses."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def _from_file(file: Path) -> dict[str, Any]:
    values = {}
    for key, value in read_toml(file).items():
        if key not in _READERS:
            raise Invalid(f"{file}: there is no setting {key!r}", hint=did_you_mean(key, _READERS))
        name = "log_bytes_per_replica" if key == "log_size_per_replica" else key
        values[name] = _READERS[key](f"{file}: {key}", value)
    return values


def _check(settings: Settings) -> None:
    """Invalid for a value that cannot be, wherever it was said."""
    for name, choices in (("engine", ENGINES), ("gate", GATES)):
        value = getattr(settings, name)
        if value not in choices:
            raise Invalid(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
    edition(settings.edition)
    host, colon, port = settings.listen.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > LAST_PORT:
        raise Invalid(f"listen is {settings.listen!r}; it must be an address and a port", hint="127.0.0.1:8000")
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise Invalid(f"public_url is {settings.public_url!r}; it must begin with http:// or https://")


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("listen", "engine", "edition", "database", "gate", "public_url"), text),
    "quotas": lambda place, said: table(Quotas, said, place),
    "storage": lambda place, said: table(StorageSettings, said, place, build=dict),
    "timings": lambda place, said: table(Timings, said, place),
    "flavors": lambda place, said: flavor_list(said, place),
    "log_size_per_replica": size,
}
