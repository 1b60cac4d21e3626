"""A report for programs: one JSON document, whose schema is docs/report.schema.json."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from mooring import __version__
from mooring.checks.render.tally import counts

if TYPE_CHECKING:
    from mooring.checks.report import Report, Result
    from mooring.checks.rule import Rule

# Rises when a reader of the one before would misread the document; new members do not raise it.
VERSION = 1


def as_json(report: Report) -> str:
    """The report as JSON. In ASCII: whatever text came out of the image, a terminal may show this as it is."""
    return json.dumps(_sound(document(report)), indent=2) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report as JSON values; each rule is described once, and results name it by its id."""
    return {
        "version": VERSION,
        "tool": {"name": "mooring", "version": __version__},
        "verdict": report.verdict.name.lower(),
        "subject": dataclasses.asdict(report.subject),
        "edition": report.edition,
        "wish": {
            "kind": str(report.wish.kind),
            "rolling_upgrade": report.wish.rolling_upgrade,
            "static": report.wish.static,
            "patient": report.wish.patient,
            "samples": dict(report.wish.samples),
            "accepted": dict(report.wish.accepted),
            "fail_on": str(report.wish.fail_on),
            "memory_bytes": report.wish.memory_bytes,
        },
        "counts": {str(status): count for status, count in counts(report).items()},
        "seconds": report.seconds,
        "remarks": list(report.remarks),
        "rules": {result.rule.id: rule_document(result.rule) for result in report.results},
        "results": [_result(result) for result in report.results],
    }


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule without its examples, as JSON values."""
    return {
        "title": rule.title,
        "why": rule.why,
        "remedy": rule.remedy,
        "level": str(rule.level),
        "rolling": str(rule.rolling) if rule.rolling else None,
        "kind": str(rule.kind),
        "runs": rule.runs,
        "facts": [fact.key for fact in rule.facts],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "rule": result.rule.id,
        "level": str(result.level),
        "status": str(result.status),
        "why": result.why,
        "findings": [{**dataclasses.asdict(finding), "level": str(finding.level)} for finding in result.findings],
    }


def _sound(value: Any) -> Any:
    """The same, with escapes written out for bytes of file names that were no UTF-8: strict readers refuse them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_sound(key): _sound(inner) for key, inner in value.items()}
    return [_sound(inner) for inner in value] if isinstance(value, list) else value
