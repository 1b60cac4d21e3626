"""What the caller wants an image for; it decides which rules are asked and how much they weigh."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.contract import Level

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(enum.StrEnum):
    """The kinds of service an image can be deployed as."""

    REAL_TIME = "real-time"
    BATCH = "batch"
    BOTH = "both"

    def covers(self, other: Kind) -> bool:
        """Whether a rule about `other` concerns an image that is meant for this."""
        return Kind.BOTH in (self, other) or self is other


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the image is checked for.

    `rolling_upgrade`: it must also bear an upgrade without interruption. `static`: nothing is run. `patient`: idle
    connections are watched as long as the edition wants them kept. `samples` are files to send, by field name.
    `accepted` are rules whose findings the caller lives with, and why. `memory_bytes` is what the container may use, 0
    for a part of what the engine has.
    """

    kind: Kind = Kind.REAL_TIME
    rolling_upgrade: bool = False
    static: bool = False
    patient: bool = False
    samples: Mapping[str, str] = field(default_factory=dict, hash=False)
    accepted: Mapping[str, str] = field(default_factory=dict, hash=False)
    fail_on: Level = Level.MUST
    memory_bytes: int = 0
