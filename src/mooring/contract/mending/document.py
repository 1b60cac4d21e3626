"""The whole of a config.json, put right: its top level, its metrics, and the order of the clean form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.contract.mending.apis import api, mend_apis
from mooring.contract.mending.dependencies import mend_dependencies
from mooring.contract.mending.health import HEALTH_BLOCKS, mend_health
from mooring.contract.mending.members import Kind, an_object, filled_text, number, renamed
from mooring.contract.names import folded
from mooring.contract.node import Node
from mooring.contract.notes import MUST, SHOULD, Notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mooring.contract.finding import Finding

METRICS = ("f1", "recall", "precision", "accuracy")
KNOWN = {
    **dict.fromkeys(("model_algorithm", "model_type", "runtime", "swr_location"), Kind.TEXT),
    "metrics": Kind.OBJECT,
    "apis": Kind.LIST,
    "dependencies": Kind.LIST,
    **dict.fromkeys(HEALTH_BLOCKS, Kind.OBJECT),
}
# Seen in configurations that the platform hands back; we have no use for them and nothing against them.
ECHOED = ("model_source", "tunable", "downloadable_flag", "algorithm")
MODEL_TYPES = (
    "Image",
    "TensorFlow",
    "PyTorch",
    "MindSpore",
    "MXNet",
    "Caffe",
    "Spark_MLlib",
    "Scikit_Learn",
    "XGBoost",
    "Template",
    "Custom",
)
# The platform's own word for a model whose kind is not told. We reckon with it, and write it nowhere.
NO_ALGORITHM = "undefined"
# What is said of a file that does not tell it.
UNTOLD = "CFG-ALG-01"
_OF_AN_API = ("protocol", "url", "method", "request", "response")


def mend(root: Node, notes: Notes) -> Node:
    """The clean form as a tree that still knows the places. Invalid, with its place, for what makes no sense."""
    root = _object_at_the_top(root, notes)
    members = renamed(root, KNOWN, notes)
    _api_at_the_top(members, root, notes)
    for name in ("model_algorithm", "model_type", "runtime", "swr_location"):
        filled_text(members, name, name, notes)
    _model_type(members, root, notes)
    if "model_algorithm" not in members:
        hint = "say what the model does, in a short plain name; only you know it"
        notes.add(UNTOLD, MUST, root, "model_algorithm is missing", hint=hint)
        members["model_algorithm"] = Node(NO_ALGORITHM, root.place)
    if "metrics" in members:
        members["metrics"] = _metrics(members["metrics"], notes)
    members["apis"] = mend_apis(members.get("apis"), root, notes)
    if "dependencies" in members:
        members["dependencies"] = mend_dependencies(members["dependencies"], notes)
    for name in HEALTH_BLOCKS:
        if name in members:
            members[name] = mend_health(members[name], name, notes)
    known = {name: members[name] for name in KNOWN if name in members}
    return root.become(known | {name: node for name, node in members.items() if name not in known})


def told(root: Node, findings: Iterable[Finding]) -> Node:
    """The clean form without the word that stands in for an algorithm that the file does not tell."""
    members = root.members
    if any(finding.id == UNTOLD for finding in findings):
        members.pop("model_algorithm", None)
    return root.become(members)


def _object_at_the_top(root: Node, notes: Notes) -> Node:
    if root.is_list and len(root.items) == 1 and {"apis", "model_type"} & set(root.items[0].members):
        notes.add("CFG-SHAPE-03", MUST, root, "the configuration stands in a list", hint="remove the outer [ ]")
        return root.items[0]
    if root.is_list:
        notes.add(
            "CFG-SHAPE-04",
            MUST,
            root,
            "the file is a bare list of apis, as a console's form takes it",
            hint='write {"model_algorithm": ..., "model_type": ..., "apis": [...]}',
        )
        return root.become({"apis": root})
    return an_object(root, "config.json", notes)


def _api_at_the_top(members: dict[str, Node], root: Node, notes: Notes) -> None:
    """`request` and its kin written beside `model_type` instead of inside `apis`."""
    if "apis" in members or not any(folded(name) in ("request", "response") for name in members):
        return
    misplaced = {name: node for name, node in members.items() if folded(name) in _OF_AN_API}
    first = next(iter(misplaced.values()))
    notes.add(
        "CFG-SHAPE-05",
        MUST,
        first.name,
        f"{', '.join(misplaced)} at the top level",
        hint="they belong in apis[0]: put them there",
    )
    for name in misplaced:
        del members[name]
    members["apis"] = root.become([api(first.become(misplaced), "apis[0]", notes)])


def _model_type(members: dict[str, Node], root: Node, notes: Notes) -> None:
    if "model_type" not in members:
        message = "model_type is missing; 'Image' stands in for it"
        notes.add("CFG-TYPE-01", MUST, root, message, hint="say what it is: model_type", read_as="Image")
        members["model_type"] = Node("Image", root.place)
        return
    node = members["model_type"]
    known = next((name for name in MODEL_TYPES if folded(name) == folded(str(node.value))), node.value)
    if known != node.value:
        seen = str(node.value)
        message = f"model_type is written {seen!r}, read as {known!r}"
        notes.add("CFG-CASE-01", SHOULD, node, message, hint=f"write {known!r}", seen=seen, read_as=str(known))
        members["model_type"] = node.become(known)


def _metrics(node: Node, notes: Notes) -> Node:
    node = an_object(node, "metrics", notes)
    members = renamed(node, METRICS, notes)
    for name in METRICS:
        if name in members:
            members[name] = number(members[name], f"metrics.{name}", notes)
    return node.become(members)
