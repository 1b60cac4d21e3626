"""Why a container is not healthy: from what was observed of it to one named cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.engine import exits, loading, silence

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.engine.cause import Cause, Facts

# The first that knows its case decides, so the particular stands before the general.
# A container that has ended is judged by how it ended; one that runs, by what it answers, then by what it listens on.
JUDGES: tuple[Callable[[Facts], Cause | None], ...] = (
    exits.disk_filled,
    exits.wrong_architecture,
    exits.out_of_memory,
    exits.python_module_missing,
    exits.shared_library_missing,
    exits.command_missing,
    exits.command_not_executable,
    exits.permission_denied,
    exits.could_not_start,
    exits.killed,
    exits.crashed,
    exits.finished_at_once,
    exits.exited,
    loading.worker_killed,
    loading.loading_failed,
    silence.health_command_failing,
    silence.health_unavailable,
    silence.health_missing,
    silence.health_redirected,
    silence.health_failing,
    silence.speaks_tls,
    silence.not_http,
    silence.no_answer_in_time,
    silence.listens_on_loopback,
    silence.listens_elsewhere,
    silence.drops_connections,
    silence.listens_nowhere,
)

SHOWN_LINES = 10


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """A named cause: what was seen, what was expected, what to do next, and the last lines of the log."""

    cause: str
    seen: str
    expected: str
    advice: str
    log_tail: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"seen:     {self.seen}",
            f"expected: {self.expected}",
            f"do next:  {self.advice}",
            f"cause:    {self.cause}",
        ]
        if self.log_tail:
            lines += ["last log lines:", *(f"  | {line}" for line in self.log_tail[-SHOWN_LINES:])]
        else:
            lines.append("it has written no logs")
        return "\n".join(lines)


def diagnose(facts: Facts) -> Diagnosis:
    """The cause that explains `facts` best. Pure; there is always one, if only `never-answered`."""
    found = next((cause for judge in JUDGES if (cause := judge(facts))), None) or silence.never_answered(facts)
    return Diagnosis(
        cause=found.name, seen=found.seen, expected=found.expected, advice=found.advice, log_tail=facts.log_tail
    )
