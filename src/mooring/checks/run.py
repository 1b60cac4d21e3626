"""From rules and evidence to results: gather what each rule asks for, judge, and say why where it could not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mooring.checks.evidence import Evidence, NotAsked, NotKnown
from mooring.checks.report import Result, Status
from mooring.contract import Level
from mooring.errors import NotStated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mooring.checks.rule import Rule
    from mooring.checks.wish import Wish
    from mooring.contract import Finding

MOST_FINDINGS = 100


def results(rules: Iterable[Rule], evidence: Evidence, wish: Wish) -> tuple[Result, ...]:
    """One result a rule, in the order given, and no fault told by two of them."""
    return told_once([judged(rule, evidence, wish) for rule in rules])


def judged(rule: Rule, evidence: Evidence, wish: Wish) -> Result:
    """What one rule says. Invalid and its kin go to the caller: a subject that cannot be read has no results."""
    level = rule.level_for(wish)
    if not wish.kind.covers(rule.kind):
        return Result(rule=rule, level=level, status=Status.SKIPPED, why=f"only for {rule.kind} services")
    try:
        found = [_weighed(finding, rule, level) for finding in rule.judge(*(evidence[name] for name in rule.needs))]
    except (NotStated, NotAsked) as reason:
        return Result(rule=rule, level=level, status=Status.SKIPPED, why=str(reason))
    except NotKnown as reason:
        return Result(rule=rule, level=level, status=Status.UNKNOWN, why=str(reason))
    findings = _first(sorted(found, key=lambda finding: (finding.level.rank, finding.where)))
    status = _status(findings)
    if status is Status.FAILED and rule.id in wish.accepted:
        why = wish.accepted[rule.id] or "accepted by the caller"
        return Result(rule=rule, level=level, status=Status.ACCEPTED, why=why, findings=findings)
    return Result(rule=rule, level=level, status=status, findings=findings)


def told_once(found: Sequence[Result]) -> tuple[Result, ...]:
    """The same results, where of two findings that share a cause the one that was seen running tells both.

    It is the stronger evidence; what was read says where the mistake is and how to mend it, and a rule with nothing
    else to say is SKIPPED. What the caller accepted neither tells for another rule nor is told by one.
    """
    seen = [result for result in found if result.rule.runs and result.status is Status.FAILED]
    tellers = {cause: result.rule.id for result in seen for finding in result.findings for cause in finding.causes}
    read = [(finding, teller) for result in found for finding, teller in _told(result, tellers)]
    return tuple(_explained(_without_told(result, tellers), read) for result in found)


def _told(result: Result, tellers: Mapping[str, str]) -> list[tuple[Finding, str]]:
    """The findings, each with the id of the rule that tells it in the place of its own, "" where none does."""
    stays = result.rule.runs or result.status is Status.ACCEPTED
    causes = {} if stays else tellers
    return [
        (finding, next((causes[cause] for cause in finding.causes if cause in causes), ""))
        for finding in result.findings
    ]


def _without_told(result: Result, tellers: Mapping[str, str]) -> Result:
    told = _told(result, tellers)
    own = tuple(finding for finding, teller in told if not teller)
    if len(own) == len(told):
        return result
    if own:
        return replace(result, status=_status(own), findings=own)
    why = f"{', '.join(dict.fromkeys(teller for _, teller in told))} tells it, as it was seen running"
    return replace(result, status=Status.SKIPPED, why=why, findings=())


def _explained(result: Result, read: Sequence[tuple[Finding, str]]) -> Result:
    """The result of a rule that saw it running, with what was read of it."""
    mine = [finding for finding, teller in read if teller == result.rule.id]
    return (
        replace(result, findings=tuple(_with_causes(finding, mine) for finding in result.findings)) if mine else result
    )


def _with_causes(finding: Finding, read: Sequence[Finding]) -> Finding:
    """What was seen, why, and then the log; the place and the remedy are those of the mistake."""
    named = [one for one in read if set(one.causes) & set(finding.causes)]
    if not named:
        return finding
    first, *log = finding.message.split("\n")
    return replace(
        finding,
        level=min((finding.level, *(one.level for one in named)), key=lambda level: level.rank),
        message="\n".join([first, *(f"{one.id} names the cause: {one.message}" for one in named), *log]),
        hint="\n".join(one.hint for one in named if one.hint) or finding.hint,
        source=named[0].source,
        line=named[0].line,
        column=named[0].column,
    )


def _status(findings: Sequence[Finding]) -> Status:
    remarks_only = all(finding.level is Level.INFO for finding in findings)
    return Status.PASSED if remarks_only else Status.FAILED


def _first(findings: list[Finding]) -> tuple[Finding, ...]:
    """As many as a person reads, the gravest; a file made to be wrong in 100,000 places is wrong in one way."""
    left = len(findings) - MOST_FINDINGS
    if left <= 0:
        return tuple(findings)
    more = replace(findings[MOST_FINDINGS], message=f"and {left} more of this kind", source="", line=0, column=0)
    return (*findings[:MOST_FINDINGS], more)


def _weighed(finding: Finding, rule: Rule, level: Level) -> Finding:
    """With the rule's id, and never graver than the rule."""
    weaker = max(finding.level, level, key=lambda each: each.rank)
    return replace(finding, id=finding.id or rule.id, level=weaker)
