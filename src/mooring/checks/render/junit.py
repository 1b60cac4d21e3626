"""A report as JUnit XML, as Jenkins and GitLab read it: one suite a check, one case a rule.

These programs know four outcomes and count two of them, failure and error, against a build. So a failure is a finding
that breaks the contract for this caller; an error, a rule that could break it and could not be judged; a case with the
weaker findings in its output passes; and whatever else was not judged is skipped, with the reason, so that nothing
unjudged looks passed and no build turns red whose check ended well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from mooring.checks.render.tally import advice, verdict_line, weighs
from mooring.checks.report import Status
from mooring.contract.visible import visible, visible_lines

if TYPE_CHECKING:
    from mooring.checks.report import Report, Result
    from mooring.contract import Finding

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(report: Report) -> str:
    """The report as an XML document."""
    name = f"mooring check {visible(report.subject.name)}"
    suite = ET.Element("testsuite", name=name)
    facts = ET.SubElement(suite, "properties")
    for key, value in _properties(report).items():
        ET.SubElement(facts, "property", name=key, value=visible(value))
    for result in report.results:
        suite.append(_case(report, result))
    remarks = "\n".join(line for remark in report.remarks for line in visible_lines(remark))
    if remarks:
        ET.SubElement(suite, "system-out").text = remarks
    counts = {"tests": str(len(report.results)), **_counts(suite), "time": f"{report.seconds:.3f}"}
    suite.attrib.update(counts)
    # The outer element has no count of skipped cases in the format that Jenkins published.
    root = ET.Element("testsuites", {"name": name, **{key: counts[key] for key in counts if key != "skipped"}})
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(report: Report) -> dict[str, str]:
    known = {
        "verdict": verdict_line(report, report.subject.name),
        "edition": report.edition,
        "kind": str(report.wish.kind),
        "digest": report.subject.digest,
        "platform": report.subject.platform,
        "config": report.subject.config_source,
    }
    return {key: value for key, value in known.items() if value}


def _counts(suite: ET.Element) -> dict[str, str]:
    return {name: str(len(suite.findall(f"testcase/{tag}"))) for name, tag in _COUNTED.items()}


def _case(report: Report, result: Result) -> ET.Element:
    area = result.rule.id.rpartition("-")[0] or result.rule.id
    case = ET.Element(
        "testcase", classname=area.replace("-", "."), name=f"{result.rule.id} {result.rule.title}", time="0"
    )
    told = "\n\n".join(_told(finding, result) for finding in result.findings)
    breaking = [finding for finding in result.findings if weighs(report, finding.level)]
    outcome = _outcome(report, result, breaking[0] if breaking else None)
    if outcome:
        tag, message = outcome
        element = ET.SubElement(case, tag, message=visible(message))
        if tag != "skipped":
            element.set("type", f"{result.rule.id} {result.level}")
            element.text = told or "\n".join(visible_lines(message))
    if told and (outcome is None or outcome[0] == "skipped"):
        ET.SubElement(case, "system-out").text = told
    return case


def _outcome(report: Report, result: Result, breaking: Finding | None) -> tuple[str, str] | None:
    """The element that says how the case ended, and its message; None for a case that passed."""
    if result.status is Status.FAILED and breaking:
        return "failure", breaking.message
    if result.status is Status.UNKNOWN:
        return "error" if weighs(report, result.level) else "skipped", f"could not be judged: {result.why}"
    if result.status is Status.ACCEPTED:
        return "skipped", f"accepted: {result.why}"
    return ("skipped", result.why) if result.status is Status.SKIPPED else None


def _told(finding: Finding, result: Result) -> str:
    document = f" ({finding.document})" if finding.document else ""
    place = f"{finding.where}: " if finding.where else ""
    todo = advice(finding, result.rule)
    parts = (
        f"{finding.level}: {place}{finding.message}",
        f"expected: {finding.expected}{document}" if finding.expected else document.strip(" ()"),
        f"remedy: {todo}" if todo else "",
    )
    return "\n".join(line for part in parts if part for line in visible_lines(part))
