"""What the contract has against a config.json, as rules: a row of a table each, judged by what reading it noticed.

The tables lie in the folder beside this module. Each row has a good and a bad config.json, `encoding` telling how the
bad one is saved where that is the point; `facts` are the facts of the edition that it depends on.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from mooring.checks.rule import Example, Rule
from mooring.contract import Level, ModelConfig, edition
from mooring.contract.vocabulary import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.rule import Judge
    from mooring.contract import Edition, Finding
    from mooring.contract.fact import Fact

FOLDER = "config_json"
UNSEEN = {"\ufeff": "U+FEFF", "\u00a0": "U+00A0", "\t": "tab"}


def _rows() -> Iterator[dict[str, Any]]:
    folder = resources.files("mooring.checks.rules").joinpath(FOLDER)
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        yield from tomllib.loads(file.read_text(encoding="utf-8"))["rule"]


def _rule(row: dict[str, Any]) -> Rule:
    facts = tuple(FACTS[key] for key in row.get("facts", ()))
    return Rule(
        id=row["id"],
        title=row["title"],
        why=row["why"],
        remedy=row["remedy"],
        level=Level(row["level"]),
        facts=facts,
        good=(_example(row["good"], "utf-8"),),
        bad=(_example(row["bad"], row.get("encoding", "utf-8")),),
        judge=_judge(row, facts),
    )


def _judge(row: dict[str, Any], facts: tuple[Fact[Any], ...]) -> Judge:
    def judge(config_findings: tuple[Finding, ...], edition: Edition) -> Iterator[Finding]:
        stated = next((edition.source(fact) for fact in facts if fact in edition), row["document"])
        for finding in config_findings:
            if finding.id == row["id"]:
                yield replace(
                    finding,
                    document=finding.document or stated,
                    hint=finding.hint or row["remedy"],
                )

    return judge


def _example(text: str, encoding: str) -> Example:
    judge = edition()
    findings = ModelConfig.parse(text.encode(encoding)).check(judge)
    return Example(_shown(text, encoding), config_findings=findings, edition=judge)


def _shown(text: str, encoding: str) -> str:
    """The text for a reader who sees neither encodings nor odd blanks."""
    for sign, name in UNSEEN.items():
        text = text.replace(sign, f"<{name}>")
    return text if encoding == "utf-8" else f"saved as {encoding}:\n{text}"


RULES = tuple(_rule(row) for row in _rows())
