"""The gate that models come in by: what the check of one says against it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.checks import Kind, Status, Verdict, Wish
from mooring.checks.case import check
from mooring.checks.render import Format, render
from mooring.contract import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mooring.checks import Report, Result
    from mooring.checks.case import Case
    from mooring.contract import Finding

STATIC, OFF = "static", "off"
LONGEST_LINE = 300
LONGEST_EVENT = 2000
KINDS: Mapping[tuple[str, ...], Kind] = {("real-time",): Kind.REAL_TIME, ("batch",): Kind.BATCH}
# What the platform says of these, word for word (inference-modelarts-0118).
SAID = {
    "CFG-DEP-01": "Customize model does not support dependencies.",
    "CFG-SWR-01": "Non-custom type models should not contain swr_location.",
}


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a check came to: `problems` keep the model out, `remarks` do not; both are lines for its story.

    `report` is the check's, as JSON has it; `size` the unpacked size in bytes, 0 where it was not looked at.
    """

    report: dict[str, Any]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    size: int = 0

    @property
    def summary(self) -> str:
        """The first problem in a line, and how many more there are."""
        if not self.problems:
            return ""
        first = self.problems[0].splitlines()[0]
        more = len(self.problems) - 1
        short = first if len(first) <= LONGEST_LINE else f"{first[: LONGEST_LINE - 3]}..."
        return f"{short} (and {more} more)" if more else short


def wish_for(install_type: Sequence[str], *, static: bool) -> Wish:
    """What a model is checked for."""
    return Wish(kind=KINDS.get(tuple(install_type), Kind.BOTH), static=static)


def judge(case: Case, *, own_names: Mapping[str, str]) -> Judgement:
    """Check, and add up.

    A model for both kinds of service comes in when it is good for real-time ones: what batch services alone have
    against it is a remark. A rule that may forbid and could not be judged keeps it out, as the check's verdict is then
    that it could not look. `own_names` are words for paths of ours that the caller never named.

    Raises:
        Invalid: the image, or its config.json, cannot be read.
    """
    report = check(case)
    found = [(result, finding) for result in report.results for finding in _grave(result)]
    problems = [_line(finding) for result, finding in found if not _is_for_batch_alone(result, case.wish)]
    remarks = [
        f"for batch services: {_line(finding)}" for result, finding in found if _is_for_batch_alone(result, case.wish)
    ]
    if not problems and report.verdict is not Verdict.KEEPS:
        problems = _not_judged(report, case.wish)
    return Judgement(
        report=_document(report, own_names),
        problems=tuple(problems),
        remarks=tuple(remarks),
        size=report.subject.size,
    )


def _grave(result: Result) -> list[Finding]:
    if result.status is not Status.FAILED:
        return []
    return [finding for finding in result.findings if finding.level is Level.MUST]


def _is_for_batch_alone(result: Result, wish: Wish) -> bool:
    return wish.kind is Kind.BOTH and result.rule.kind is Kind.BATCH


def _not_judged(report: Report, wish: Wish) -> list[str]:
    return [
        f"{result.rule.id} could not be judged: {result.why}"[:LONGEST_EVENT]
        for result in report.results
        if result.status is Status.UNKNOWN and result.level is Level.MUST and not _is_for_batch_alone(result, wish)
    ]


def _line(finding: Finding) -> str:
    said = f"{SAID[finding.id]} " if finding.id in SAID else ""
    hint = f"\n{finding.hint}" if finding.hint else ""
    line = f"{said}{finding.id}: {finding.message}{hint}"
    return line if len(line) <= LONGEST_EVENT else f"{line[: LONGEST_EVENT - 3]}..."


def _document(report: Report, own_names: Mapping[str, str]) -> dict[str, Any]:
    text = render(report, Format.JSON)
    for path, word in own_names.items():
        text = text.replace(json.dumps(path)[1:-1], word)
    found: dict[str, Any] = json.loads(text)
    return found
