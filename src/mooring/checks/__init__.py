"""Judging an image, a project or a running server by the rules of the contract, and saying what is wrong with it."""

# The package of that name first: imported later, it would take the place of the function `rules`.
import mooring.checks.rules  # noqa: F401
from mooring.checks.evidence import Evidence, NotAsked, NotKnown
from mooring.checks.report import Report, Result, Status, Subject, Verdict
from mooring.checks.rule import Rule, rule_named, rules
from mooring.checks.run import results
from mooring.checks.wish import Kind, Wish

__all__ = [
    "Evidence",
    "Kind",
    "NotAsked",
    "NotKnown",
    "Report",
    "Result",
    "Rule",
    "Status",
    "Subject",
    "Verdict",
    "Wish",
    "results",
    "rule_named",
    "rules",
]
