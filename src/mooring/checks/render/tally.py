"""What a report adds up to: its results sorted by what their reader does about them, counted and said in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.report import Report, Result, Status, Verdict
from mooring.contract import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.rule import Rule
    from mooring.checks.wish import Wish
    from mooring.contract import Finding

# What a shell is told: 1 is kept for an image at fault, 69 (as in sysexits.h) says that one could not look.
EXIT_CODES = {Verdict.KEEPS: 0, Verdict.BREAKS: 1, Verdict.INCOMPLETE: 69}

_CONTRACT = {
    Verdict.KEEPS: "keeps the contract of",
    Verdict.BREAKS: "breaks the contract of",
    Verdict.INCOMPLETE: "could not be judged completely by",
}


def verdict_line(report: Report, name: str) -> str:
    """The verdict on what is called `name`, with the numbers behind it."""
    said = _CONTRACT[report.verdict]
    if report.wish.static and report.verdict is Verdict.KEEPS:
        # What was never run may do anything.
        said = "shows nothing against the contract of"
    return f"{name} {said} {report.edition} ({purpose(report.wish)}): {_numbers(report)}"


def purpose(wish: Wish) -> str:
    """What the image was checked for, in words."""
    kind = "real-time and batch" if wish.kind.value == "both" else str(wish.kind)
    parts = (kind, "rolling upgrade" if wish.rolling_upgrade else "", "not run" if wish.static else "")
    return ", ".join(part for part in parts if part)


def counts(report: Report) -> dict[Status, int]:
    """How many rules came to each status."""
    return {status: sum(result.status is status for result in report.results) for status in Status}


def found(report: Report, level: Level) -> Iterator[tuple[Result, Finding]]:
    """What was found at that level and not accepted, with the result it belongs to, in the order of the rules."""
    for result in report.results:
        if result.status is not Status.ACCEPTED:
            yield from ((result, finding) for finding in result.findings if finding.level is level)


def weighs(report: Report, level: Level) -> bool:
    """Whether a finding of that level breaks the contract for this caller."""
    return level.rank <= report.wish.fail_on.rank


def advice(finding: Finding, rule: Rule) -> str:
    """What to do about it: a remark of a rule that passed asks for nothing but what it says itself."""
    return finding.hint or ("" if finding.level is Level.INFO else rule.remedy)


def _numbers(report: Report) -> str:
    must, should = (len(report.findings(level)) for level in (Level.MUST, Level.SHOULD))
    of = counts(report)
    mended = {(True, True): f"{must} must be mended, {should} should", (True, False): f"{must} must be mended"}.get(
        (bool(must), bool(should)), f"{should} should be mended" if should else ""
    )
    parts = (
        mended,
        _part(of[Status.PASSED], "passed"),
        _part(of[Status.ACCEPTED], "accepted"),
        _part(of[Status.SKIPPED], "skipped"),
        _part(of[Status.UNKNOWN], "not judged"),
    )
    return ", ".join(part for part in parts if part) or "nothing was judged"


def _part(count: int, what: str) -> str:
    return f"{count} {what}" if count else ""
