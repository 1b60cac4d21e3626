"""What an edition says about dependencies: none in an image, and names that an installer can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.contract import vocabulary as v
from mooring.contract.node import Node, shortened
from mooring.contract.notes import MUST, Notes

if TYPE_CHECKING:
    from mooring.contract.edition import Edition


def dependencies_breaches(node: Node | None, edition: Edition, notes: Notes, *, image: bool) -> None:
    """Note what the edition has against the clean list of dependencies."""
    if node is None or not node.items:
        return
    if image:
        hint = "put the packages into the image and remove dependencies"
        notes.add("CFG-DEP-01", MUST, node.name, "an image has no dependencies: they are never installed", hint=hint)
    installers = edition.get(v.CONFIG_INSTALLERS, ())
    characters: str = edition.get(v.CONFIG_FORBIDDEN_CHARACTERS, "")
    for n, group in enumerate(node.items):
        members, what = group.members, f"dependencies[{n}]"
        if installers and members["installer"].value not in installers:
            message = f"{what}.installer is {shortened(str(members['installer'].value))!r}"
            notes.add("CFG-DEP-06", MUST, members["installer"], message, hint=f"write {' or '.join(installers)}")
        for m, package in enumerate(members["packages"].items):
            _names(package, f"{what}.packages[{m}]", set(characters), notes)


def _names(package: Node, what: str, forbidden: set[str], notes: Notes) -> None:
    for name in ("package_name", "package_version"):
        node = package.members.get(name)
        value = str(node.value) if node else ""
        bad = sorted(set(value) & forbidden)
        if node and bad and not value.endswith(".whl"):
            message = f"{what}.{name} must not hold {' '.join(bad)}"
            notes.add("CFG-DEP-07", MUST, node, message, hint="the version goes into package_version and restraint")
