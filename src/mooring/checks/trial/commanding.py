"""A health command, run in the container while it works, and its end told as if a health url had answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.engine.inside import run_health_command
from mooring.engine.probe import Outcome
from mooring.engine.wire import CLOSED, HUNG, Reply

if TYPE_CHECKING:
    from mooring.engine import DockerEngine

OUTCOMES = {Outcome.SILENT: HUNG, Outcome.CLOSED: CLOSED}


@dataclass(frozen=True)
class HealthCommand:
    """The command of one container, and the seconds that each run of it may take."""

    engine: DockerEngine
    container: str
    command: str
    limit_seconds: float

    def run(self) -> Reply:
        """Exit code 0 is 200, another 503; what does not end in time hangs, what cannot be run is closed."""
        began = time.monotonic()
        answer = run_health_command(self.engine, self.container, self.command, timeout_seconds=self.limit_seconds)
        return Reply(
            OUTCOMES.get(answer.outcome, str(answer.status)),
            status=answer.status,
            body=answer.body.encode(),
            seconds=time.monotonic() - began,
            detail=answer.detail,
        )
