"""A rule as people read about it: what it says and why, what passes, what fails, and what each edition states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.contract import edition, editions
from mooring.contract.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.render.terminal import Terminal
    from mooring.checks.rule import Example, Rule
    from mooring.contract.edition import Stated
    from mooring.contract.fact import Fact

_WEIGHT = {"must": "must be mended", "should": "should be mended", "info": "a remark"}
_KINDS = {"real-time": "real-time services", "batch": "batch services", "both": "real-time and batch services"}


def facts_by_edition(rule: Rule) -> Iterator[tuple[str, Fact[object], Stated | None]]:
    """Each edition's name with each fact the rule reads, and what is stated; None where the edition is silent."""
    for name in editions():
        for fact in rule.facts:
            yield name, fact, edition(name).facts.get(fact.key)


def weight(rule: Rule) -> str:
    """What its findings weigh, and for whom, in a sentence without its full stop."""
    said = _WEIGHT[rule.level]
    if rule.rolling is not None and rule.rolling is not rule.level:
        said += f" ({_WEIGHT[rule.rolling]} for an upgrade without interruption)"
    looked = "judged on a running container" if rule.runs else "judged without running anything"
    return f"{said}; for {_KINDS[rule.kind]}; {looked}"


def rule_text(rule: Rule, terminal: Terminal) -> str:
    """The rule as a terminal shows it."""
    lines = [terminal.styled(f"{rule.id}: {rule.title}", "bold"), *terminal.wrapped(weight(rule), "  ", "  ")]
    for title, paragraphs in (("Why", rule.why), ("Remedy", rule.remedy)):
        lines += ["", terminal.styled(title, "bold")]
        for number, paragraph in enumerate(paragraphs.split("\n\n")):
            lines += [*([""] if number else []), *terminal.wrapped(paragraph, "  ", "  ")]
    for title, examples in (("Good", rule.good), ("Bad", rule.bad)):
        lines += ["", terminal.styled(title, "bold")]
        for number, example in enumerate(examples):
            lines += [*([""] if number else []), *(f"  {line}".rstrip() for line in _shown(example))]
    rows = [
        (name, fact.key, f"{stated.text} ({stated.source})" if stated else "silent")
        for name, fact, stated in facts_by_edition(rule)
    ]
    if rows:
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        lines += ["", terminal.styled("Editions", "bold")]
        lines += [f"  {name:<{widths[0]}}  {key:<{widths[1]}}  {value}" for name, key, value in rows]
    return "\n".join(lines)


def rule_markdown(rule: Rule, *, editions_at: str = "") -> str:
    """The rule as a page shows it, without the page's title; with links where the pages of the editions are known."""
    parts = [f"{rule.title}.", f"*{weight(rule)[0].upper()}{weight(rule)[1:]}.*"]
    parts += ["## Why", rule.why, "## Remedy", rule.remedy]
    for title, examples in (("## Good", rule.good), ("## Bad", rule.bad)):
        parts += [title, *(_fenced(example) for example in examples)]
    return "\n\n".join([*parts, *_table(rule, editions_at)])


def _shown(example: Example) -> list[str]:
    # A byte order mark or a carriage return may be the very point of an example.
    return [visible(line) for line in example.shown.strip("\n").split("\n")]


def _fenced(example: Example) -> str:
    content = "\n".join(_shown(example))
    fence = "```"
    while fence in content:
        fence += "`"
    return f"{fence}text\n{content}\n{fence}"


def _table(rule: Rule, editions_at: str) -> list[str]:
    if not rule.facts:
        return ["## Editions", "It reads no fact of the contract: it is the same for every edition."]
    head = f"| Edition | {' | '.join(f'`{fact.key}`' for fact in rule.facts)} |\n|---|{'---|' * len(rule.facts)}"
    cells: dict[str, list[str]] = {}
    for name, _, stated in facts_by_edition(rule):
        cells.setdefault(name, []).append(f"{cell(stated.text)} ({cell(stated.source)})" if stated else "-")
    named = {name: f"[{name}]({editions_at}/{name}.md)" if editions_at else name for name in cells}
    rows = "\n".join(f"| {named[name]} | {' | '.join(row)} |" for name, row in cells.items())
    return [
        "## Editions",
        f"{head}\n{rows}",
        "A dash: the edition is silent, and a rule that needs the fact is skipped.",
    ]


def cell(text: str) -> str:
    """The text in a cell of a Markdown table: a bar would end it; braces and JSON read better as code."""
    text = text.replace("|", "\\|")
    return f"`{text}`" if any(char in text for char in '{}"&') else text
