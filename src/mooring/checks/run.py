"""From rules and evidence to results: gather what each rule asks for, judge, and say why where it could not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mooring.checks.evidence import Evidence, NotAsked, NotKnown
from mooring.checks.report import Result, Status
from mooring.contract import Level
from mooring.errors import NotStated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mooring.checks.rule import Rule
    from mooring.checks.wish import Wish
    from mooring.contract import Finding

MOST_FINDINGS = 100


def results(rules: Iterable[Rule], evidence: Evidence, wish: Wish) -> Iterator[Result]:
    """One result a rule, as they are found, in the order given."""
    return (judged(rule, evidence, wish) for rule in rules)


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
    if all(finding.level is Level.INFO for finding in findings):
        return Result(rule=rule, level=level, status=Status.PASSED, findings=findings)
    if rule.id in wish.accepted:
        why = wish.accepted[rule.id] or "accepted by the caller"
        return Result(rule=rule, level=level, status=Status.ACCEPTED, why=why, findings=findings)
    return Result(rule=rule, level=level, status=Status.FAILED, findings=findings)


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
