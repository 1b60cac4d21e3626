"""The same input gets the same answer.

Two answers to one question make results that nobody can reproduce, tests that nobody can write, and a comparison of two
versions that says nothing. Often it is dropout or shuffling left on from training.

Put the model in evaluation (`model.eval()`), fix the seeds, and leave times and request ids to headers. A model that
samples on purpose is checked with `--accept RUN-REPEAT-01:samples`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.trial.sightings import Repeats
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

VOLATILE = re.compile(
    r"time|latency|elapsed|duration|date|stamp|uuid|(?:^|[^a-z])id(?:[^a-z]|$)|_id|trace", re.IGNORECASE
)


@rule(
    "RUN-REPEAT-01",
    level=SHOULD,
    good=(Example("7, and 7 again", repeats=(Repeats(api="POST /"),)),),
    bad=(Example("7, and then 3", repeats=(Repeats(api="POST /", differing="mnist_result: 7, then 3"),)),),
)
def answers_differ(repeats: tuple[Repeats, ...]) -> Iterator[Finding]:
    """Fields whose names tell of times and ids are worth a remark only."""
    if not repeats:
        raise NotKnown("no request was answered twice")
    for repeat in repeats:
        if repeat.differing:
            name = repeat.differing.partition(":")[0]
            yield Finding(
                level=INFO if VOLATILE.search(name) else SHOULD,
                message=f"{repeat.api} answered one request sent twice with two answers: {repeat.differing}",
                expected="the same answer to the same input",
                hint="model.eval(), fixed seeds; if it samples on purpose: --accept RUN-REPEAT-01:samples",
                source=repeat.api,
            )
