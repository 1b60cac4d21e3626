"""No request ends the container.

What one caller sends must not take the service from the others. A container that a single request ends is restarted,
with all that was in flight lost, and can be kept down by whoever sends it again.

Catch what a request can raise where it is handled, never call exit there, and see whether memory ran out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.sightings import Calls
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"


@rule(
    "RUN-API-06",
    level=MUST,
    good=(Example("runs on after every request", calls=Calls(exchanges=())),),
    bad=(
        Example(
            "exit code 1 after a body that is no JSON",
            calls=Calls(exchanges=(), death="exit code 1, after POST / with a body that is no JSON"),
        ),
    ),
)
def dies_of_a_request(calls: Calls) -> Iterator[Finding]:
    """What was sent last before it ended."""
    if calls.death:
        yield Finding(
            message=f"the container ended while it was called: {calls.death}",
            expected="a container that outlives any request",
            document=DOCUMENT,
            hint="catch what the request raises where it is handled; see the last lines of its log",
        )
