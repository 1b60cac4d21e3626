"""The health blocks of config.json, put right: texts for numbers, as the contract has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.contract.mending.members import Kind, an_object, filled_text, renamed
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, SHOULD, Notes

if TYPE_CHECKING:
    from collections.abc import Callable

HEALTH_BLOCKS = ("health", "readiness_health", "startup_health")
FIELDS = dict.fromkeys(
    (
        "check_method",
        "url",
        "command",
        "protocol",
        "period_seconds",
        "initial_delay_seconds",
        "timeout_seconds",
        "failure_threshold",
    ),
    Kind.TEXT,
)


def mend_health(node: Node, what: str, notes: Notes) -> Node:
    """One block; a bare path is taken for its url. Invalid if it is neither."""
    if isinstance(node.value, str) and node.value.strip().startswith("/"):
        notes.add("CFG-SHAPE-06", SHOULD, node, f"{what} is a path", hint=f'write {{"url": "{node.value.strip()}"}}')
        node = node.become({"url": node.value.strip()})
    node = an_object(node, what, notes)
    members = renamed(node, FIELDS, notes)
    for name in FIELDS:
        filled_text(members, name, f"{what}.{name}", notes)
    _case(members, "protocol", str.lower, notes)
    _case(members, "check_method", str.upper, notes)
    return node.become(members)


def _case(members: dict[str, Node], name: str, form: Callable[[str], str], notes: Notes) -> None:
    node = members.get(name)
    if node is None:
        return
    value = form(str(node.value))
    if value != node.value:
        seen = str(node.value)
        message = f"{name} is written {shortened(seen)!r}, read as {shortened(value)!r}"
        notes.add("CFG-CASE-01", INFO, node, message, hint=f"write {shortened(value)!r}", seen=seen, read_as=value)
        members[name] = node.become(value)
