"""Once ready, it leaves memory for requests.

Requests need memory of their own: bodies, pictures, tensors. A container that is close to its limit when it has only
loaded is ended by the kernel at the first busy moment, without a word in its log.

Choose an instance with more memory (and check with `--memory` as large), or load less: fewer workers, a smaller data
type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.trial.blame import require_ready
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

NEAR = 0.9
_MIB = 2**20


def _ready(memory_mib: int) -> Start:
    return Start(
        command=("sh", "/home/run.sh"),
        ready=True,
        seconds=2.1,
        memory_bytes=memory_mib * _MIB,
        memory_limit_bytes=1024 * _MIB,
    )


@rule(
    "RUN-START-03",
    level=SHOULD,
    good=(Example("ready with 120 MiB of 1,024", start=_ready(120)),),
    bad=(Example("ready with 990 MiB of 1,024", start=_ready(990)),),
)
def fills_its_memory(start: Start) -> Iterator[Finding]:
    """Nine tenths of the limit are too close; of a server that was not started here, nothing is to be seen."""
    require_ready(start)
    if not start.command:
        raise NotAsked("a running server is not looked into")
    if start.memory_bytes is None or not start.memory_limit_bytes:
        raise NotKnown("its memory could not be seen")
    if start.memory_bytes > NEAR * start.memory_limit_bytes:
        share = 100 * start.memory_bytes / start.memory_limit_bytes
        yield Finding(
            message=f"once ready it takes {start.memory_bytes / _MIB:,.0f} MiB, "
            f"{share:.0f} % of its limit of {start.memory_limit_bytes / _MIB:,.0f} MiB",
            expected="memory left for the requests",
            hint="allow more with --memory, if its instances have more; else load less",
        )
