"""Judging an image, a project or a running server by the rules of the contract, and saying what is wrong with it."""

from mooring.checks.evidence import Evidence, NotAsked, NotKnown
from mooring.checks.report import Report, Result, Status, Subject, Verdict
from mooring.checks.rule import Rule, catalogue, rule_named
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
    "catalogue",
    "results",
    "rule_named",
]
