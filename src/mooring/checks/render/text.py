"""A report for people: the verdict first, then what must and what should be mended, then the rest."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from mooring.checks.render.tally import advice, found, verdict_line
from mooring.checks.report import Status, Verdict
from mooring.checks.sizes import size
from mooring.contract import Level
from mooring.contract.visible import visible, visible_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mooring.checks.render.terminal import Terminal
    from mooring.checks.report import Report, Result, Subject
    from mooring.contract import Finding

_COLOURS = {Verdict.KEEPS: "green", Verdict.BREAKS: "red", Verdict.INCOMPLETE: "yellow"}
_INDENT = "  "
# More rules than these, kept from judging by one reason, are listed by their ids.
_FEW = 3
_LABEL = 10  # "expected" and two blanks


def text(report: Report, *, verbose: bool, terminal: Terminal) -> str:
    """The report as lines; with `verbose` also the remarks of rules, and what passed or was skipped and why."""
    verdict = terminal.wrapped(verdict_line(report, visible(report.subject.name)), "", _INDENT)
    lines = [terminal.styled(line, "bold", _COLOURS[report.verdict]) for line in verdict]
    lines += terminal.wrapped(_facts(report.subject), _INDENT, _INDENT)
    for title, colour, level in (("must be mended", "red", Level.MUST), ("should be mended", "yellow", Level.SHOULD)):
        lines += _group(terminal, title, colour, _findings(terminal, found(report, level)))
    unknown = _reasons(terminal, report, Status.UNKNOWN, verbose=verbose)
    lines += _group(terminal, "could not be judged", "yellow", unknown)
    lines += _group(terminal, "accepted", "dim", _accepted(terminal, report))
    if verbose:
        lines += _group(terminal, "noticed", "blue", _findings(terminal, found(report, Level.INFO)))
        lines += _group(terminal, "passed", "green", _titles(terminal, report, Status.PASSED))
        lines += _group(terminal, "skipped", "dim", _reasons(terminal, report, Status.SKIPPED, verbose=True))
    if report.remarks:
        lines.append("")
        for remark in report.remarks:
            lines += terminal.wrapped(" ".join(visible_lines(remark)), "note: ", "      ")
    return "\n".join(lines) + "\n"


def _facts(subject: Subject) -> str:
    """The subject in a line: what it is, how big, and where its config.json was found."""
    parts = (
        subject.digest,
        subject.platform,
        f"{size(subject.size)} unpacked" if subject.size else "",
        f"{size(subject.compressed_size)} compressed" if subject.compressed_size else "",
        f"config.json: {subject.config_source}" if subject.config_source else "no config.json",
    )
    return ", ".join(visible(part) for part in parts if part)


def _group(terminal: Terminal, title: str, colour: str, lines: Iterable[str]) -> list[str]:
    inside = list(lines)
    return ["", terminal.styled(title, "bold", colour), *inside] if inside else []


def _findings(terminal: Terminal, pairs: Iterable[tuple[Result, Finding]]) -> Iterator[str]:
    groups = itertools.groupby(pairs, key=lambda pair: pair[0].rule.id)
    for number, (_, group) in enumerate(groups):
        members = list(group)
        result = members[0][0]
        yield from ("",) if number else ()
        yield from _heading(terminal, result)
        for _, finding in members:
            yield from _finding(terminal, result, finding)
        # What the rule itself advises is said once, however much was found.
        advised = next((advice(finding, result.rule) for _, finding in members if not finding.hint), "")
        yield from _labelled(terminal, "remedy", advised)


def _heading(terminal: Terminal, result: Result, indent: str = _INDENT) -> Iterator[str]:
    identifier = result.rule.id
    rest = f"{indent}{' ' * len(identifier)}  "
    first, *others = terminal.wrapped(f"{identifier}  {result.rule.title}", indent, rest)
    yield first.replace(identifier, terminal.styled(identifier, "bold"), 1)
    yield from others


def _finding(terminal: Terminal, result: Result, finding: Finding) -> Iterator[str]:
    own = finding.id if finding.id not in ("", result.rule.id) else ""
    yield from _labelled(terminal, "at", " ".join(part for part in (finding.where, own) if part))
    yield from _labelled(terminal, "seen", finding.message)
    document = f" ({finding.document})" if finding.document and finding.expected else finding.document
    yield from _labelled(terminal, "expected" if finding.expected else "source", finding.expected + document)
    yield from _labelled(terminal, "remedy", finding.hint)


def _labelled(terminal: Terminal, label: str, content: str) -> Iterator[str]:
    """The content behind its label; only its first line is wrapped, for what follows are lines of a log."""
    if content.strip():
        first, *others = visible_lines(content)
        start = _INDENT * 2 + f"{label:<{_LABEL}}"
        yield from terminal.wrapped(first, start, " " * len(start))
        yield from (f"{' ' * len(start)}{line}".rstrip() for line in others)


def _reasons(terminal: Terminal, report: Report, status: Status, *, verbose: bool) -> Iterator[str]:
    """Each reason once, with the rules it holds for: an image that does not start leaves dozens unjudged."""
    reasons: dict[str, list[Result]] = {}
    for result in report.results:
        if result.status is status:
            reasons.setdefault(result.why, []).append(result)
    for why, results in reasons.items():
        for line in visible_lines(why or "no reason was given"):
            yield from terminal.wrapped(line, _INDENT, _INDENT * 2)
        if len(results) > _FEW and not verbose:
            listed = f"{', '.join(result.rule.id for result in results)} (-v says what they are)"
            yield from terminal.wrapped(listed, _INDENT * 2, _INDENT * 2)
            continue
        for result in results:
            yield from _heading(terminal, result, _INDENT * 2)


def _accepted(terminal: Terminal, report: Report) -> Iterator[str]:
    for result in report.results:
        if result.status is Status.ACCEPTED:
            yield from _heading(terminal, result)
            yield from _labelled(terminal, "because", result.why)
            for finding in result.findings:
                where = f"{finding.where}: " if finding.where else ""
                yield from _labelled(terminal, "seen", f"{where}{finding.message}")


def _titles(terminal: Terminal, report: Report, status: Status) -> Iterator[str]:
    for result in report.results:
        if result.status is status:
            yield from _heading(terminal, result)
