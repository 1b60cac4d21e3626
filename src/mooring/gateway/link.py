"""What a gateway and control say to each other: tables one way, reports the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.gateway.table import Table


@dataclass(frozen=True, kw_only=True)
class Count:
    """Calls of one model version in one service that ended in one minute; `failures` is among `calls`.

    `minute` counts from the epoch: its first millisecond is `minute * 60_000`.
    """

    service_id: str
    model_id: str
    minute: int
    calls: int
    failures: int


@dataclass(frozen=True, kw_only=True)
class GatewayReport:
    """How one gateway is doing: the table it goes by, what is in flight at each replica, what it counted since.

    `number` counts a gateway's reports from 1, so that one that is sent again is not counted again.
    """

    gateway_id: str
    number: int
    table: int
    in_flight: Mapping[str, int] = field(default_factory=dict)
    counts: tuple[Count, ...] = ()


class ControlLink(Protocol):
    """Control, as a gateway sees it; in the same process or over HTTP. Unavailable when it is away."""

    async def table(self, *, after: int) -> Table:
        """The newest table once its number is above `after`, or the same again after some twenty seconds."""
        ...

    async def report(self, report: GatewayReport) -> None:
        """Tell how it is; sent every second, and at once after a new table or when a drained replica falls silent."""
        ...
