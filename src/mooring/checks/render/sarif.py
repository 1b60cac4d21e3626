"""A report as SARIF 2.1.0, for code scanning and editors.

Consumers show results as alerts, so only what somebody should look at is one: findings, and, at the level "none", what
could not be judged. What passed or did not apply is in the JSON report.
"""

from __future__ import annotations

import collections
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from mooring import __version__
from mooring.checks.render.place import BASE, artifact, logical_name
from mooring.checks.render.rule_page import rule_markdown
from mooring.checks.render.tally import EXIT_CODES, advice, purpose, verdict_line
from mooring.checks.report import Status, Verdict
from mooring.contract import Level
from mooring.contract.visible import visible, visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.report import Report, Result
    from mooring.checks.rule import Rule
    from mooring.contract import Finding

_LEVELS = {Level.MUST: "error", Level.SHOULD: "warning", Level.INFO: "note"}
_LINK = re.compile(r"\[(?=[^\]]*\]\()")
# What one run measures and the next measures a little differently.
_NUMBER = re.compile(r"\d+([.,]\d+)*")


def sarif(report: Report) -> str:
    """The report as one run of a SARIF log."""
    run = {
        "tool": {
            "driver": {
                "name": "Mooring",
                "semanticVersion": __version__,
                "rules": [_rule(result.rule) for result in report.results],
            }
        },
        # The part before the last slash is the category by which code scanning keeps several checks of one project.
        "automationDetails": {"id": f"mooring/{report.edition}/{report.wish.kind}/"},
        "originalUriBaseIds": {BASE: {"description": {"text": "the root of the image's file system"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": list(_results(report)),
        "properties": {"edition": report.edition, "verdict": report.verdict.name.lower()},
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": _pascal(rule.title),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why or f"{rule.title}."},
        "help": {"text": rule.remedy or rule.title, "markdown": rule_markdown(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"tags": [rule.id.split("-")[0].lower(), str(rule.kind)]},
    }


def _pascal(title: str) -> str:
    # The standard asks for an identifier that a person can read.
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", title)[:8])


def _invocation(report: Report) -> dict[str, Any]:
    summary = verdict_line(report, visible(report.subject.name))
    return {
        # The tool did its work if it could say yes or no.
        "executionSuccessful": report.verdict is not Verdict.INCOMPLETE,
        "exitCode": EXIT_CODES[report.verdict],
        "exitCodeDescription": _message(summary)["text"],
        "toolExecutionNotifications": [
            *(
                {
                    "level": "warning",
                    "message": _message(f"{result.rule.id} could not be judged: {result.why}"),
                    "associatedRule": {"id": result.rule.id, "index": index},
                }
                for index, result in enumerate(report.results)
                if result.status is Status.UNKNOWN
            ),
            *({"level": "note", "message": _message(remark)} for remark in report.remarks),
        ],
        "properties": {"purpose": purpose(report.wish), "seconds": report.seconds},
    }


def _results(report: Report) -> Iterator[dict[str, Any]]:
    seen: collections.Counter[str] = collections.Counter()
    for index, result in enumerate(report.results):
        common = {"ruleId": result.rule.id, "ruleIndex": index}
        if result.status is Status.UNKNOWN:
            yield {
                **common,
                "kind": "open",
                "level": "none",
                "message": _message(f"Could not be judged: {result.why}"),
                "locations": [_location(report, "", 0, 0)],
            }
        for finding in result.findings:
            mark = _fingerprint(result, finding)
            seen[mark] += 1
            yield {
                **common,
                "kind": "fail",
                "level": _LEVELS[finding.level],
                "message": _message(_sentence(finding, result.rule)),
                "locations": [_location(report, finding.source, finding.line, finding.column)],
                # The one name that GitHub compares; it is a hash and a number there too.
                "partialFingerprints": {"primaryLocationLineHash": f"{mark}:{seen[mark]}"},
                **_suppressed(result),
                **({"properties": {"clause": visible(finding.id)}} if finding.id != result.rule.id else {}),
            }


def _suppressed(result: Result) -> dict[str, Any]:
    if result.status is not Status.ACCEPTED:
        return {}
    why = "\n".join(visible_lines(result.why))
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": why}]}


def _sentence(finding: Finding, rule: Rule) -> str:
    document = f" ({finding.document})" if finding.document else ""
    expected = f"Expected: {finding.expected}{document}" if finding.expected else f"Source: {finding.document}"
    parts = [finding.message, expected if finding.expected or finding.document else "", advice(finding, rule)]
    return "\n".join(part for part in parts if part) or rule.title


def _message(text: str) -> dict[str, str]:
    # In a message, [text](place) is a link; nothing out of an image may make one.
    return {"text": _LINK.sub(r"\\[", "\n".join(visible_lines(text)))}


def _location(report: Report, source: str, line: int, column: int) -> dict[str, Any]:
    """Where it is. Code scanning drops results without a file and a line, so the subject stands in for what is none."""
    region = {"startLine": line or 1, **({"startColumn": column} if line and column else {})}
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": artifact(source, report.subject), "region": region}
    }
    name = logical_name(source)
    return {**location, "logicalLocations": [{"fullyQualifiedName": name}]} if name else location


def _fingerprint(result: Result, finding: Finding) -> str:
    """The same for the same finding in the next image, though it be a line lower or a second slower."""
    parts = (result.rule.id, finding.id, finding.source, _NUMBER.sub("#", finding.message))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
