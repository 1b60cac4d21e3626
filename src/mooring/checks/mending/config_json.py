"""A config.json put right in its author's own hand: order, indents and what is nobody's business stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.mending.json_edit import edited
from mooring.checks.mending.json_text import JsonText
from mooring.checks.mending.strict_json import strict
from mooring.contract import ModelConfig
from mooring.contract.decoding import decoded
from mooring.contract.mending import mend
from mooring.contract.mending.apis import DEFAULTS
from mooring.contract.mending.bodies import JSON
from mooring.contract.mending.document import UNTOLD, told
from mooring.contract.mending.health import HEALTH_BLOCKS
from mooring.contract.notes import Notes
from mooring.contract.reading import read_text
from mooring.errors import Invalid

if TYPE_CHECKING:
    from mooring.contract.node import Node

# The documents describe lists so, and every reader of the contract takes it; another form would be a change for none.
# And what only the author can tell stays untold: a word that stands in for it would hide that it is missing.
LEFT = frozenset({"CFG-SCHEMA-06", UNTOLD})
IMAGE = "Image"
SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Mended:
    """The bytes of the file put right, the rules that asked for it and why, and whether it had to be written anew."""

    data: bytes
    rules: tuple[str, ...]
    why: str
    anew: bool


def mended(data: bytes) -> Mended | None:
    """The file put right; None if nothing is to be mended, or if it cannot be read at all."""
    try:
        config = ModelConfig.parse(data)
    except Invalid:
        return None
    decided, more = _decided(config.root)
    asked = {finding.id: finding.message for finding in config.findings} | more
    rules = tuple(sorted(set(asked) - LEFT))
    if not rules:
        return None
    aim = told(decided, config.findings).plain()
    text = _in_the_author_s_hand(data)
    if text is not None and _reaches(text, aim):
        return Mended(data=text, rules=rules, why=_why(asked), anew=False)
    clean = json.dumps(aim, ensure_ascii=False, indent=2).encode() + b"\n"
    return Mended(data=clean, rules=rules, why=_why(asked), anew=True)


def _why(asked: dict[str, str]) -> str:
    """What is wrong, one thing of each kind, in one line."""
    messages = [message for rule, message in asked.items() if rule not in LEFT]
    more = len(messages) - SHOWN
    return "; ".join(messages[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _in_the_author_s_hand(data: bytes) -> bytes | None:
    text = strict(decoded(data, Notes("")))
    try:
        json.loads(text)
        notes = Notes("")
        root, _ = _decided(mend(read_text(text, notes), notes))
        return edited(JsonText(text), declared(told(root, notes.findings))).encode()
    except (Invalid, ValueError):
        return None


def _reaches(data: bytes, aim: object) -> bool:
    """Whether the text is read as what was aimed at, with nothing left to mend."""
    try:
        json.loads(data)
        config = ModelConfig.parse(data)
    except (Invalid, ValueError):
        return False
    return config.clean() == aim and {finding.id for finding in config.findings} <= LEFT


def _decided(root: Node) -> tuple[Node, dict[str, str]]:
    """The clean form with what only one answer fits put right too; and what was wrong, by the rule that asks."""
    members, asked = root.members, dict[str, str]()
    if members["model_type"].value == IMAGE and "runtime" in members:
        del members["runtime"]
        asked["CFG-RUNTIME-01"] = "an image has no runtime"
    for name in HEALTH_BLOCKS:
        inner = members[name].members if name in members else {}
        url = inner.get("url")
        if url is not None and not str(url.value).startswith("/") and "://" not in str(url.value):
            members[name] = members[name].become({**inner, "url": url.become(f"/{url.value}")})
            asked["CFG-HEALTH-01"] = f"{name}.url must be a path that begins with '/'"
    return root.become(members), asked


def declared(root: Node) -> Node:
    """The clean form without what mending filled in where the contract has a default and nothing was declared."""
    members = root.members
    apis = members["apis"]
    if apis.name_place is None and not any(_named(item) for item in apis.items):
        return root
    members["apis"] = apis.become([_api(item) for item in apis.items])
    return root.become(members)


def _named(node: Node) -> bool:
    return any(child.name_place is not None for child in node.members.values())


def _api(node: Node) -> Node:
    members = {
        name: child
        for name, child in node.members.items()
        if child.name_place is not None or child.value != DEFAULTS.get(name, child)
    }
    for side in ("request", "response"):
        body = members[side]
        inner = {
            name: child
            for name, child in body.members.items()
            if child.name_place is not None or child.value not in (JSON, {})
        }
        members[side] = body.become(inner)
        if not inner and body.name_place is None:
            del members[side]
    return node.become(members)
