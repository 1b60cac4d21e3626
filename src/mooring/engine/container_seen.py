"""How an engine's description of a container becomes the sighting of a workload."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mooring.engine.container_spec import described, is_ours
from mooring.engine.sighting import sighted
from mooring.engine.workload import State, WorkloadSighting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.engine.container import Sighting
    from mooring.engine.container_spec import Described
    from mooring.engine.refusal import Refusal

RUNNING = frozenset({"running", "paused", "restarting"})
UNBORN = frozenset({"created", "configured", "initialized"})
LEAVING = frozenset({"removing", "stopping"})
# Between making and starting one there is a moment; whoever made it and has not started it since then was killed.
UNBORN_SECONDS = 60.0
NEVER_STARTED = "it was made, and never started: who made it was interrupted"
# What the docker command ends with where not the container failed, but the engine.
ENGINE_FAILED = 125
SIGNALLED = 128
# The engine's for "never".
FIRST_YEAR = 1


@dataclass(frozen=True)
class Seen:
    """A container of ours at one moment, `workload` being what of it everybody may know."""

    container: Sighting
    asked: Described
    workload: WorkloadSighting
    status: str
    image: str

    @property
    def is_unborn(self) -> bool:
        """Whether it was made, and nobody has tried to start it."""
        return self.status in UNBORN and not self.container.error


def seen_in(attrs: Mapping[str, Any], platform_id: str, refusal: Refusal | None) -> Seen | None:
    """What the engine's description tells; None when the container is none of the platform's."""
    labels = (attrs.get("Config") or {}).get("Labels") or {}
    asked = described(labels)
    if asked is None or not is_ours(platform_id, attrs["Name"], labels):
        return None
    container = sighted(attrs, refusal)
    status = str(attrs["State"].get("Status", "")).lower()
    seen = _sighting(container, asked, status)
    if status in UNBORN and not container.error and _age_seconds(attrs.get("Created", "")) > UNBORN_SECONDS:
        seen = replace(seen, state=State.EXITED, exit_code=ENGINE_FAILED, why=NEVER_STARTED)
    return Seen(container, asked, seen, status, str(attrs.get("Image", "")))


def _sighting(container: Sighting, asked: Described, status: str) -> WorkloadSighting:
    url = f"{asked.protocol}://{_host(container.host)}:{container.host_port}" if container.host_port else ""
    seen = WorkloadSighting(
        name=asked.name, labels=asked.labels, state=State.STARTING, started_at=moment(container.started_at)
    )
    if status in RUNNING:
        return replace(seen, state=State.RUNNING, url=url) if url else seen
    if status in LEAVING:
        return replace(seen, state=State.STOPPING, url=url if container.running else "")
    if status in UNBORN and not container.error:
        return seen
    return replace(seen, state=State.EXITED, exit_code=container.exit_code, why=_why(container, asked))


def _why(container: Sighting, asked: Described) -> str:
    """One line: the engine's words, out of memory, a signal's name, or the exit code."""
    code = container.exit_code
    if container.error:
        return " ".join(container.error.split())
    if container.oom_killed:
        limit = f": it used more than its limit of {asked.memory_bytes / 2**20:g} MiB" if asked.memory_bytes else ""
        return f"out of memory{limit}"
    try:
        return f"{signal.Signals((code or 0) - SIGNALLED).name} (exit code {code})"
    except ValueError:
        return f"exit code {code}"


def moment(written: str) -> datetime | None:
    """A time as engines write it, to the microsecond; None for what is none, and for their "never"."""
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        return None
    if time.year <= FIRST_YEAR:
        return None
    return time.astimezone(UTC)


def _age_seconds(created: str) -> float:
    made = moment(created)
    return (datetime.now(UTC) - made).total_seconds() if made else 0.0


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
