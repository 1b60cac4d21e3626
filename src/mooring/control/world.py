"""What is wanted of a service, what is seen of it, and the steps from one to the other; values only."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Condition(enum.Enum):
    """How a replica is, by what its engine sees and its probes say."""

    ABSENT = "absent"  # it is wanted, and the engine has nothing of that name
    STARTING = "starting"  # not ready yet
    REFUSED = "refused"  # it runs, and failed its probes too often before it ever was ready
    READY = "ready"
    FAILING = "failing"  # it was ready, and failed its probes too often since
    DEAD = "dead"  # the same, and its model asks to be restarted then
    STOPPING = "stopping"  # it was told to end
    EXITED = "exited"


ALIVE = frozenset(
    {Condition.ABSENT, Condition.STARTING, Condition.REFUSED, Condition.READY, Condition.FAILING, Condition.DEAD}
)
# What may have calls in flight, so that it must fall silent before it is stopped.
CALLED = frozenset({Condition.READY, Condition.FAILING, Condition.DEAD})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one model version of a service should be: so many instances of one template, with so much of the traffic.

    `template` is a digest of all that makes two replicas alike, the model's id among it. `surge` and `unavailable` are
    counts of instances (see `count_of`).
    """

    model_id: str
    template: str
    weight: int
    instances: int
    surge: int = 1
    unavailable: int = 0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a service; without `running`, that none of its replicas be there.

    `weights` has the weights of templates that are on their way out. A replica that drains is stopped after
    `drain_limit_ms` even when it is not quiet. `settled` tells that this came true before: what then refuses to start
    is tried again and again. A replica that ended is started at once the first time, then after `back_off_ms`, twice
    that and so on up to the limit.
    """

    service: str
    entries: tuple[Entry, ...]
    running: bool = True
    settled: bool = False
    weights: Mapping[str, int] = field(default_factory=dict)
    drain_limit_ms: int = 90_000
    back_off_ms: int = 1000
    back_off_limit_ms: int = 300_000

    def name_of(self, entry: Entry, ordinal: int) -> str:
        """The name of a replica: the same for the same slot, so that it cannot be made twice."""
        return f"{self.service[:8]}-{entry.template[:8]}-{ordinal}"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A replica that there is a row of, as it is seen; `quiet` when no gateway routes to it and no call is left."""

    name: str
    model_id: str
    template: str
    ordinal: int
    condition: Condition
    draining_at_ms: int | None = None
    quiet: bool = False
    restarts: int = 0
    exited_at_ms: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it may get new calls."""
        return self.condition is Condition.READY and self.draining_at_ms is None


@dataclass(frozen=True)
class Start:
    """Write a row for a replica that has none, and ask the engine to make it be."""

    name: str
    model_id: str
    template: str
    ordinal: int


@dataclass(frozen=True)
class Restart:
    """Let go of what is left of a replica, so that it is started again."""

    name: str


@dataclass(frozen=True)
class Drain:
    """Send a replica no more new calls."""

    name: str


@dataclass(frozen=True)
class Keep:
    """A replica that was draining is wanted after all."""

    name: str


@dataclass(frozen=True)
class Stop:
    """End a replica, with its grace."""

    name: str


@dataclass(frozen=True)
class Forget:
    """Nothing is left of a replica: its row can go."""

    name: str


Step = Start | Restart | Drain | Keep | Stop | Forget


@dataclass(frozen=True)
class Part:
    """The share of the traffic that the ready replicas of one template get; relative to the other parts."""

    model_id: str
    template: str
    weight: int
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The next steps, who gets the traffic once they are taken, and how far it is.

    `ready` counts the ready replicas of each wanted model, as many as are wanted. It has `arrived` when all that is
    wanted is ready and nothing else is left. `hopeless` names replicas that will not get better by waiting.
    """

    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    ready: Mapping[str, int]
    complete: bool
    arrived: bool
    hopeless: tuple[str, ...]


def count_of(value: float | None, instances: int, *, default: int, up: bool) -> int:
    """max_surge or max_unavailable as a count: below 1 a fraction of the instances, from 1 on a number of them."""
    if value is None:
        return default
    if value >= 1:
        return int(value)
    return math.ceil(value * instances) if up else math.floor(value * instances)
