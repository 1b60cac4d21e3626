"""How probes add up: when a replica is ready, when it is failing, and when it is so again; pure.

The counting is the contract's: after `delay` a replica is asked every `period`, and so many failures in a row as
`failure_threshold` says are one too many. Before it was ready for the first time that is a failed start; after that the
service is concerning until it answers again (inference-modelarts-0009). A model that declares a startup probe is asked
nothing else until that succeeds; one with a readiness probe is given calls by that, and its health probe is for
restarting it (inference2.0-modelarts-0095).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mooring.control.world import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(enum.Enum):
    """What a probe is for."""

    STARTUP = "startup"
    READINESS = "readiness"
    HEALTH = "health"


@dataclass(frozen=True, kw_only=True)
class Check:
    """When a probe is asked, in seconds, and how many failures in a row are too many."""

    delay_seconds: float = 0.0
    period_seconds: float = 5.0
    failure_threshold: int = 12


@dataclass(frozen=True)
class Health:
    """What the probes of one replica have said so far; `failures` in a row of each.

    `since_ms` is when it was last found ready, None before the first time. `passed` are the probes whose last word was
    good, or not yet bad often enough.
    """

    since_ms: int | None = None
    started: bool = False
    failures: Mapping[Kind, int] = field(default_factory=dict)
    passed: frozenset[Kind] = frozenset()

    @classmethod
    def of_one_that_was_ready(cls, since_ms: int, checks: Mapping[Kind, Check]) -> Health:
        """What is taken for true of a replica that was ready when we last looked, until it fails."""
        return cls(since_ms=since_ms, started=True, passed=frozenset(checks))


def asked(health: Health, checks: Mapping[Kind, Check]) -> tuple[Kind, ...]:
    """The probes that are to be asked now: the startup probe alone until it has succeeded, then the others."""
    if Kind.STARTUP in checks and not health.started:
        return (Kind.STARTUP,)
    return tuple(kind for kind in checks if kind is not Kind.STARTUP)


def after(health: Health, kind: Kind, checks: Mapping[Kind, Check], *, ok: bool, now_ms: int) -> Health:
    """What is known after one more answer."""
    failures = 0 if ok else health.failures.get(kind, 0) + 1
    found = replace(health, failures={**health.failures, kind: failures})
    if ok:
        found = replace(found, passed=found.passed | {kind}, started=found.started or kind is Kind.STARTUP)
    elif failures >= checks[kind].failure_threshold:
        found = replace(found, passed=found.passed - {kind})
    if found.since_ms is None and _all_well(found, checks):
        return replace(found, since_ms=now_ms)
    return found


def condition(health: Health, checks: Mapping[Kind, Check]) -> Condition:
    """How a replica is whose process runs."""
    if health.since_ms is not None:
        if _all_well(health, checks):
            return Condition.READY
        if Kind.READINESS in checks and Kind.HEALTH in checks and Kind.HEALTH not in health.passed:
            return Condition.DEAD
        return Condition.FAILING
    refused = any(
        kind in checks and failures >= checks[kind].failure_threshold for kind, failures in health.failures.items()
    )
    return Condition.REFUSED if refused else Condition.STARTING


def _all_well(health: Health, checks: Mapping[Kind, Check]) -> bool:
    return all(kind in health.passed for kind in checks)
