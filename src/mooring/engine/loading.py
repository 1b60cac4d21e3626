"""What it means when a server's health says that loading failed: the reason, and whether waiting longer will help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.engine.cause import Cause, Facts
from mooring.engine.exits import memory_spent, missing_library, missing_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mooring.engine.probe import Answer

UNAVAILABLE = 503
SHOWN_CHARACTERS = 600
# The server waits longer before each new start and says how long; as many different waits are as many failures.
ENOUGH_FAILURES = 3
REASON = re.compile(
    r"(?:loading failed: (?P<failure>.*?)|the worker (?P<killed>was killed by SIGKILL)[^;]*?)"
    r"(?:; starting it again(?: in (?P<delay>[\d.]+) s)?)?(?=; loading failed: |; the worker was killed |$)",
    re.DOTALL,
)


def failure(answer: Answer) -> str:
    """Why the model could not be loaded, in the server's words; "" when this answer says no such thing."""
    if answer.status != UNAVAILABLE:
        return ""
    found = REASON.match(answer.reason)
    return (found["failure"] or found["killed"]) if found else ""


def is_hopeless(answers: Sequence[Answer]) -> bool:
    """Whether the newest answers tell of one load failure so often that another start will end like the last."""
    said = failure(answers[-1]) if answers else ""
    delays: set[str | None] = set()
    for answer in reversed(answers):
        if not said or failure(answer) != said:
            break
        # With several workers one answer holds the reason of each.
        delays |= {found["delay"] for found in REASON.finditer(answer.reason)}
    return len(delays) >= ENOUGH_FAILURES


def worker_killed(facts: Facts) -> Cause | None:
    """The server runs, and the kernel ends its worker: under a memory limit it takes one process, not the container."""
    found = REASON.match(facts.last_answer.reason) if facts.last_answer and failure(facts.last_answer) else None
    if found is None or not found["killed"]:
        return None
    return memory_spent(facts, "the server runs, but its worker was killed by SIGKILL, most likely")


def loading_failed(facts: Facts) -> Cause | None:
    """The server runs, and its model cannot be loaded."""
    said = failure(facts.last_answer) if facts.last_answer else ""
    if not said:
        return None
    seen = f"the server runs, but cannot load its model: {said[:SHOWN_CHARACTERS]}"
    return (
        missing_module(said, seen)
        or missing_library(said, seen)
        or Cause(
            name="loading-failed",
            seen=seen,
            expected=f"200 from GET {facts.health_url} once the model is loaded",
            advice="mend what the reason names; the last log lines show where it happened",
        )
    )
