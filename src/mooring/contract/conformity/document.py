"""What an edition says about the top level of config.json: what the model is, how good it is, which names there are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.contract import vocabulary as v
from mooring.contract.conformity.apis import apis_breaches
from mooring.contract.conformity.dependencies import dependencies_breaches
from mooring.contract.conformity.health import health_breaches
from mooring.contract.mending.apis import API
from mooring.contract.mending.bodies import BODY
from mooring.contract.mending.dependencies import GROUP, PACKAGE
from mooring.contract.mending.document import ECHOED, KNOWN, METRICS
from mooring.contract.mending.health import FIELDS, HEALTH_BLOCKS
from mooring.contract.names import nearest
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mooring.contract.edition import Edition

IMAGE = "Image"
FILE = "config.json"
# How names begin that are meant to be the author's own, as `x-port`.
OWN = "x-"


def breaches(root: Node, edition: Edition, notes: Notes) -> None:
    """Note everything the edition has against a clean config.json. Facts it does not state are not judged."""
    members = root.members
    image = members["model_type"].value == IMAGE
    _algorithm(members["model_algorithm"], edition, notes)
    _model_type(members["model_type"], edition, notes)
    _image_only(members, notes, image=image)
    if "metrics" in members:
        _metrics(members["metrics"], edition, notes)
    apis_breaches(members["apis"], str(members["model_type"].value), edition, notes)
    dependencies_breaches(members.get("dependencies"), edition, notes, image=image)
    health_breaches(root, edition, notes, image=image)
    _unknown_names(root, notes)


def _algorithm(node: Node, edition: Edition, notes: Notes) -> None:
    name = str(node.value)
    longest = edition.get(v.CONFIG_ALGORITHM_MAX_LENGTH, len(name))
    forbidden: str = edition.get(v.CONFIG_FORBIDDEN_CHARACTERS, "")
    bad = sorted(set(name) & set(forbidden))
    faults = []
    if not re.match(r"[A-Za-z]", name):
        faults.append("must begin with a letter")
    if len(name) > longest:
        faults.append(f"has {len(name)} characters; {longest} are allowed")
    if bad:
        faults.append(f"must not hold {' '.join(bad)}")
    if not name.isascii():
        faults.append("must be written in Latin letters")
    for fault in faults:
        notes.add(
            "CFG-ALG-01", MUST, node, f"model_algorithm {fault}", hint="choose another name", seen=shortened(name)
        )


def _model_type(node: Node, edition: Edition, notes: Notes) -> None:
    known = edition.get(v.CONFIG_MODEL_TYPES, ())
    if not known or node.value in known:
        return
    close = nearest(str(node.value), known)
    hint = f"did you mean {close!r}?" if close else f"known: {', '.join(known)}"
    notes.add("CFG-TYPE-01", MUST, node, f"{edition.name} knows no model_type {node.value!r}", hint=hint)


def _image_only(members: dict[str, Node], notes: Notes, *, image: bool) -> None:
    if image and "runtime" in members:
        at = members["runtime"].name
        notes.add("CFG-RUNTIME-01", SHOULD, at, "an image has no runtime: it brings its own", hint="remove runtime")
    if not image and "swr_location" in members:
        at = members["swr_location"].name
        notes.add(
            "CFG-SWR-01", MUST, at, "only an image has swr_location", hint='remove it, or set model_type to "Image"'
        )
    if image and "swr_location" in members:
        message = "swr_location is read only when a package in object storage is imported"
        hint = "leave it out where the image itself is imported"
        notes.add("CFG-SWR-01", INFO, members["swr_location"].name, message, hint=hint)


def _metrics(node: Node, edition: Edition, notes: Notes) -> None:
    places = edition.get(v.CONFIG_METRIC_DECIMALS, 0)
    for name, child in node.members.items():
        if name not in METRICS:
            close = _meant(name, node, METRICS)
            level, hint = (SHOULD, f"did you mean {close!r}?") if close else (INFO, f"known: {', '.join(METRICS)}")
            notes.add("CFG-MET-02", level, child.name, f"metrics.{shortened(name)} is not shown anywhere", hint=hint)
        elif isinstance(child.value, bool) or not isinstance(child.value, int | float):
            notes.add("CFG-MET-01", MUST, child, f"metrics.{name} must be a number, not {child.kind}")
        elif places and len(child.literal.partition("e")[0].partition(".")[2]) > places:
            notes.add("CFG-MET-01", INFO, child, f"metrics.{name} has more than {places} decimals; the rest is lost")


def _unknown_names(root: Node, notes: Notes) -> None:
    members = root.members
    _unknown(root.become({name: child for name, child in members.items() if name not in ECHOED}), KNOWN, FILE, notes)
    for n, api in enumerate(members["apis"].items):
        _unknown(api, API, f"apis[{n}]", notes)
        for side in ("request", "response"):
            _unknown(api.members[side], BODY, f"apis[{n}].{side}", notes)
    groups = members["dependencies"].items if "dependencies" in members else ()
    for n, group in enumerate(groups):
        _unknown(group, GROUP, f"dependencies[{n}]", notes)
        for m, package in enumerate(group.members["packages"].items):
            _unknown(package, PACKAGE, f"dependencies[{n}].packages[{m}]", notes)
    for block in HEALTH_BLOCKS:
        if block in members:
            _unknown(members[block], FIELDS, block, notes)


def _unknown(node: Node, known: Iterable[str], what: str, notes: Notes) -> None:
    names = tuple(known)
    for name, child in node.members.items():
        if name not in names:
            close = _meant(name, node, names)
            hint = f"did you mean {close!r}?" if close else "it is kept as it is; the platform ignores it or refuses it"
            level = INFO if name.startswith(OWN) else SHOULD
            notes.add("CFG-KEY-01", level, child.name, f"{what} has no {shortened(name)!r}", hint=hint)


def _meant(name: str, node: Node, known: Iterable[str]) -> str:
    """The known name that looks like this one, "" if none does; not one that was declared beside it."""
    # What mending filled in where nothing was declared has a place, and no name in the file.
    declared = {key for key, child in node.members.items() if child.name_place is not None}
    return nearest(name, set(known) - declared)
