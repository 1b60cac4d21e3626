"""What one look at a service stands on, sees and comes to; values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.contract.edition import Edition
    from mooring.control.probing import Subject
    from mooring.control.replica_logs import Followed
    from mooring.control.settings import Settings
    from mooring.control.story import Story
    from mooring.control.world import Condition
    from mooring.engine.workload import Workload, WorkloadSighting
    from mooring.gateway.table import Route


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What every look stands on; `engine` is the engine's name."""

    settings: Settings
    edition: Edition
    story: Story
    engine: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """The world as it is seen at one moment.

    `probed` gives a running replica's condition by its answers, None when it is asked nothing yet. `busy` are replicas
    that something is being done about. `diagnoses` are the engine's words on replicas that it was asked about.
    """

    now_ms: int
    sightings: Mapping[str, WorkloadSighting]
    probed: Callable[[str], Condition | None]
    is_quiet: Callable[[str], bool]
    busy: Mapping[str, Condition]
    diagnoses: Mapping[str, str]


@dataclass(frozen=True)
class Apply:
    """Ask the engine to make a replica be, after it let go of what is left of one, when there is an `after_grace`.

    `config` is the clean form of its model's config.json, which a project is served by.
    """

    workload: Workload
    config: Mapping[str, Any] | None = None
    after_grace: float | None = None


@dataclass(frozen=True)
class End:
    """Ask the engine to make a replica not be."""

    name: str
    grace_seconds: float


@dataclass(kw_only=True)
class Settled:
    """What one look came to; without a `route` the service is gone.

    `targets` are the ready replicas of a batch service, which no gateway has a route to: their URLs by their names.
    `doings` are to be done in the world once the rows are kept, by the replica's name. `undiagnosed` are replicas whose
    state the engine must explain before the service can be called failed. When it `rests`, another look at the same
    world would come to the same.
    """

    route: Route | None = None
    targets: Mapping[str, str] = field(default_factory=dict)
    doings: dict[str, Apply | End] = field(default_factory=dict)
    subjects: dict[str, Subject] = field(default_factory=dict)
    followed: dict[str, Followed] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    undiagnosed: tuple[str, ...] = ()
    rests: bool = False
