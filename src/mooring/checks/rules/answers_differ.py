"""The same input gets the same answer.

Two answers to one question make results that nobody can reproduce, tests that nobody can write, and a comparison of two
versions that says nothing. Often it is dropout or shuffling left on from training.

Put the model in evaluation (`model.eval()`), fix the seeds, and leave times and request ids to headers. A model that
samples on purpose is checked with `--accept RUN-REPEAT-01:samples`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.trial.sightings import Repeats
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator


@rule(
    "RUN-REPEAT-01",
    level=SHOULD,
    good=(Example('{"mnist_result": 7}, and the same again', repeats=(Repeats(api="POST /"),)),),
    bad=(
        Example(
            '{"mnist_result": 7}, and then {"mnist_result": 3}',
            repeats=(Repeats(api="POST /", differing="mnist_result"),),
        ),
    ),
)
def answers_differ(repeats: tuple[Repeats, ...]) -> Iterator[Finding]:
    """Fields whose names tell of times and ids are worth a remark only."""
    if not repeats:
        raise NotKnown("no request was answered twice")
    for repeat in repeats:
        if repeat.differing:
            yield Finding(
                level=INFO if repeat.of_the_call else SHOULD,
                message=f"{repeat.api} gave two answers to one request sent twice; they differ in {repeat.differing}",
                expected="the same answer to the same input",
                hint="model.eval(), fixed seeds; if it samples on purpose: --accept RUN-REPEAT-01:samples",
                source=repeat.api,
            )
