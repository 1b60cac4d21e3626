"""What an edition says about health blocks: that there is one, and that its numbers are numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.contract import vocabulary as v
from mooring.contract.mending.health import HEALTH_BLOCKS
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

if TYPE_CHECKING:
    from mooring.contract.edition import Edition

MOST = 2147483647
# The least a number may be.
LEAST = {"period_seconds": 1, "initial_delay_seconds": 0, "timeout_seconds": 1, "failure_threshold": 1}


def health_breaches(root: Node, edition: Edition, notes: Notes, *, image: bool) -> None:
    """Note what the edition has against the health blocks of a clean config.json, or that there is none."""
    members = root.members
    for name in HEALTH_BLOCKS:
        if name in members:
            _block(members[name], name, edition, notes)
            if not image:
                message = f"{name} is read for images only"
                notes.add("CFG-HEALTH-03", INFO, members[name].name, message, hint="remove it")
    if image and "health" not in members:
        url = edition.get(v.HEALTH_URL, "/health")
        needed = edition.get(v.HEALTH_REQUIRED, default=False)
        message = "no health block" + (
            f"; {edition.name} asks every image for a health endpoint, and {url} is asked"
            if needed
            else "; without it no upgrade is seamless"
        )
        level = INFO if needed else SHOULD
        notes.add("CFG-HEALTH-02", level, root, message, hint=f'add "health": {{"url": "{url}"}}')


def _block(node: Node, what: str, edition: Edition, notes: Notes) -> None:
    members = node.members
    method = members["check_method"].value if "check_method" in members else "HTTP"
    needs = {"HTTP": "url", "EXEC": "command"}.get(str(method))
    if needs is None:
        notes.add(
            "CFG-HEALTH-01", MUST, members["check_method"], f"{what}.check_method is HTTP or EXEC, not {method!r}"
        )
    elif needs not in members:
        hint = f'add "url": "{edition.get(v.HEALTH_URL, "/health")}"' if needs == "url" else "add the command to run"
        notes.add("CFG-HEALTH-01", MUST, node, f"{what} has no {needs}", hint=hint)
    if "url" in members and not str(members["url"].value).startswith("/"):
        hint = f'write "/{shortened(str(members["url"].value))}"'
        notes.add("CFG-HEALTH-01", MUST, members["url"], f"{what}.url must be a path that begins with '/'", hint=hint)
    if "protocol" in members and members["protocol"].value != "http":
        message = f"{what}.protocol is {shortened(str(members['protocol'].value))!r}; probes are made by http"
        notes.add("CFG-HEALTH-01", MUST, members["protocol"], message, hint='write "http", or leave it out')
    for name, least in LEAST.items():
        if name in members:
            _number(members[name], f"{what}.{name}", least, notes)


def _number(node: Node, what: str, least: int, notes: Notes) -> None:
    value = str(node.value)
    if not (value.isascii() and value.isdigit()):
        message = f"{what} must be a whole number written as a text, not {shortened(value)!r}"
        notes.add("CFG-HEALTH-01", MUST, node, message, hint=f'write "{max(least, 5)}"')
    elif not least <= int(value[:11]) <= MOST:
        notes.add("CFG-HEALTH-01", MUST, node, f"{what} must be between {least} and {MOST}, not {shortened(value)}")
