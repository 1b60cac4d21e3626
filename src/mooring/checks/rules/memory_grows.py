"""Equal calls do not need more and more memory.

Memory that grows with every call is gone after some days: the container is ended by the kernel at its limit, in the
middle of requests, and starts again, until the next time.

Look for what a call leaves behind: lists and caches without a limit, results kept for later, tensors with their
gradients (`with torch.no_grad()`), sessions made anew for each call. `tracemalloc` names the lines in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.trial.sightings import Growth
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

_MIB = 2**20
# Allocators keep some of what they were given, the more the larger the process; both must be passed.
NOISE_BYTES = 8 * _MIB
NOISE_SHARE = 0.05


@rule(
    "RUN-MEM-01",
    level=SHOULD,
    good=(
        Example(
            "120 MiB, and 121 MiB 200 calls later",
            growth=Growth(calls=200, before_bytes=120 * _MIB, after_bytes=121 * _MIB),
        ),
    ),
    bad=(
        Example(
            "120 MiB, and 160 MiB 200 calls later",
            growth=Growth(calls=200, before_bytes=120 * _MIB, after_bytes=160 * _MIB),
        ),
    ),
)
def memory_grows(growth: Growth) -> Iterator[Finding]:
    """More than noise, in bytes and against what it had."""
    if not growth.calls:
        raise NotKnown("no equal calls could be made")
    grown = growth.after_bytes - growth.before_bytes
    if grown > max(NOISE_BYTES, NOISE_SHARE * growth.before_bytes):
        each = grown / growth.calls
        yield Finding(
            message=f"{growth.calls} equal calls took it from {growth.before_bytes / _MIB:.0f} to "
            f"{growth.after_bytes / _MIB:.0f} MiB, {each / 1024:.0f} KiB a call",
            expected="the same memory after many equal calls as after a few",
            hint=f"at that rate 1 GiB is gone after {2**30 / each:,.0f} calls; see what a call leaves behind",
        )
