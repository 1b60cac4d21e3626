"""Writes the pages of docs/ that are made from the code; with --check, only says which are out of date."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.testing import CliRunner

from mooring.checks.render.json_schema import report_schema
from mooring.checks.render.rule_page import cell, rule_markdown
from mooring.checks.rule import catalogue
from mooring.cli.app import app
from mooring.contract import edition, editions
from mooring.contract.editor_schema import editor_schema
from mooring.contract.vocabulary import FACTS
from mooring_serve.settings import table as settings_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.checks import Rule

ROOT = Path(__file__).resolve().parent.parent
# What the rules look at, by what their ids begin with.
AREAS = {"CFG": "config.json", "IMG": "The image", "PRJ": "The project", "RUN": "The image at work"}
NOTICE = "<!-- Made by scripts/docs.py from the code; `make fix` writes it anew. -->"


def config_schema() -> str:
    """The JSON Schema of config.json for editors."""
    return json.dumps(editor_schema(), indent=2, ensure_ascii=False) + "\n"


def report_json_schema() -> str:
    """The JSON Schema of the JSON report of `mooring check`."""
    return json.dumps(report_schema(), indent=2) + "\n"


def rules_index() -> str:
    """All rules, by what their ids begin with."""
    known = catalogue()
    lines = [NOTICE, "# Rules", ""]
    lines += [
        "What `mooring check` judges an image by. A finding of the level `must` makes the platform refuse the image or",
        "the service fail; one of the level `should` is tolerated, and costs somebody an evening later; `info` is a",
        "remark. `mooring explain RULE` shows the same pages on a terminal.",
    ]
    for area in sorted({rule.id.split("-")[0] for rule in known}):
        lines += ["", f"## {AREAS.get(area, area)}", "", "| Rule | Level | For | What it says |", "|---|---|---|---|"]
        lines += [
            f"| [{rule.id}]({rule.id}.md) | {_level(rule)} | {rule.kind} | {cell(rule.title)} |"
            for rule in known
            if rule.id.split("-")[0] == area
        ]
    return "\n".join([*lines, ""])


def _level(rule: Rule) -> str:
    differs = rule.rolling is not None and rule.rolling is not rule.level
    return f"{rule.level}; {rule.rolling} for a rolling upgrade" if differs else str(rule.level)


def rule_page(rule: Rule) -> str:
    """One rule: what it says, why, what passes and fails, and what the editions state."""
    return f"{NOTICE}\n# {rule.id}\n\n{rule_markdown(rule, editions_at='../editions')}\n"


def editions_index() -> str:
    """All editions side by side."""
    known = [edition(name) for name in editions()]
    lines = [NOTICE, "# Editions of the contract", ""]
    lines += [
        "What a model image must be changes with the provider and the year. An edition is what one provider says,",
        "from one date on; every fact names the document it is taken from. Where an edition is silent there is a dash,",
        "and whatever asks for that fact is told so. `" + known[0].name + "` is used unless another is named.",
        "",
        "| Edition | From | What |",
        "|---|---|---|",
        *(f"| [{each.name}]({each.name}.md) | {each.since} | {each.title} |" for each in known),
        "",
        "## Side by side",
        "",
        "| Fact | " + " | ".join(each.name for each in known) + " |",
        "|---|" + "---|" * len(known),
    ]
    for key, fact in FACTS.items():
        cells = [cell(each.text(fact)) if fact in each else "-" for each in known]
        lines.append(f"| `{key}` | " + " | ".join(cells) + " |")
    lines += ["", "## What the facts mean", "", "| Fact | Kind | Meaning |", "|---|---|---|"]
    lines += [f"| `{key}` | {fact.kind.name} | {fact.meaning} |" for key, fact in FACTS.items()]
    lines += ["", "Sizes are powers of 1024: 1 GB is 1024 MB.", ""]
    return "\n".join(lines)


def edition_page(name: str) -> str:
    """One edition: its facts and their sources."""
    one = edition(name)
    lines = [NOTICE, f"# {one.name}", "", f"{one.title}, from {one.since} on."]
    if one.extends:
        lines += ["", f"What it does not say itself it takes from [{one.extends}]({one.extends}.md)."]
    lines += ["", "| Fact | Value | Source | Stated by |", "|---|---|---|---|"]
    lines += [
        f"| `{fact.key}` | {cell(stated.text)} | {cell(stated.source)} | {stated.edition} |"
        for fact, stated in one.rows()
    ]
    return "\n".join([*lines, ""])


def command_line() -> str:
    """The help of every verb."""
    lines = [NOTICE, "# The command line", ""]
    for words in _commands(typer.main.get_command(app)):
        result = CliRunner().invoke(app, [*words, "--help"], prog_name="mooring", terminal_width=100, color=False)
        if result.exit_code:
            raise SystemExit(f"mooring {' '.join(words)} --help failed: {result.output}")
        help_text = "\n".join(line.rstrip() for line in result.output.strip().splitlines())
        lines += [f"## mooring {' '.join(words)}".rstrip(), "", "```text", help_text, "```", ""]
    return "\n".join(lines)


def settings() -> str:
    """The settings of the server in the image."""
    lines = [NOTICE, "# Settings of the server", ""]
    lines += [
        "Each is an environment variable: of `mooring serve` and `python -m mooring_serve` on this machine, of the",
        "container in an image. `mooring build` sets those that the edition states; what is set at start wins.",
        "",
        settings_table(),
    ]
    return "\n".join(lines)


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from _commands(inner, (*words, name))


# Every page: where it lies and what writes it. One line adds one.
PAGES: list[tuple[str, Callable[[], str]]] = [
    ("docs/config.schema.json", config_schema),
    ("docs/editions/README.md", editions_index),
    *((f"docs/editions/{name}.md", lambda name=name: edition_page(name)) for name in editions()),
    ("docs/reference/cli.md", command_line),
    ("docs/report.schema.json", report_json_schema),
    ("docs/rules/README.md", rules_index),
    *((f"docs/rules/{rule.id}.md", lambda rule=rule: rule_page(rule)) for rule in catalogue()),
    ("docs/settings.md", settings),
]
# Folders in which nothing but such pages may lie.
OURS = ("docs/editions", "docs/rules")


def strays() -> list[Path]:
    """Files in our folders that no page writes any more."""
    written = {ROOT / path for path, _ in PAGES}
    return sorted(file for folder in OURS for file in (ROOT / folder).glob("*") if file not in written)


def main() -> int:
    """Write the pages, or compare them; 1 if --check finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, name what differs, exit 1 if anything does"
    )
    check = parser.parse_args().check
    stale = []
    for path, page in PAGES:
        file, text = ROOT / path, page()
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    for file in strays():
        stale.append(str(file.relative_to(ROOT)))
        if not check:
            file.unlink()
    for path in stale:
        sys.stdout.write(f"{path} {'is out of date: run `make fix`' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
