"""A batch service can use at least one api.

A batch makes its requests itself: from each file, or from each line of a table. For that it needs the type and the
schema of both bodies. In file mode the request must hold one property, a file; in table mode it must hold leaves that a
column can fill. Without them the job fails with ModelArts.3514 or never starts.

Declare "Content-type" and "data" in request and response: one property of type file in a form, or an object of strings,
numbers and booleans in JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring.checks.rule import BATCH, MUST, Example, rule
from mooring.contract import Finding, Level, ModelConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mooring.contract import Api
    from mooring.contract.node import Node

DOCUMENT = "inference-modelarts-0056, inference-modelarts-0040"
FORM = "multipart/form-data"
LEAVES = frozenset({"string", "number", "integer", "boolean"})
GOOD = """{"model_algorithm": "image_classification", "model_type": "Image", "apis": [{"url": "/", "method": "POST",
  "request": {"Content-type": "multipart/form-data",
    "data": {"type": "object", "properties": {"images": {"type": "file"}}}},
  "response": {"Content-type": "application/json",
    "data": {"type": "object", "properties": {"label": {"type": "string"}}}}}]}"""
BAD = """{"model_algorithm": "image_classification", "model_type": "Image", "apis": [{"url": "/", "method": "POST",
  "request": {"Content-type": "multipart/form-data",
    "data": {"type": "object", "properties": {"images": {"type": "file"}, "size": {"type": "integer"}}}},
  "response": {"Content-type": "application/json"}}]}"""


@rule(
    "CFG-CT-02",
    level=MUST,
    kind=BATCH,
    good=(Example(GOOD, config=ModelConfig.parse(GOOD.encode())),),
    bad=(Example(BAD, config=ModelConfig.parse(BAD.encode())),),
)
def config_not_for_batch(config: ModelConfig) -> Iterator[Finding]:
    """One api that works is enough; what is wrong with the others is then only told."""
    faults = {n: list(_faults(api)) for n, api in enumerate(config.apis)}
    usable = any(not found for found in faults.values())
    for n, found in faults.items():
        if usable and config.apis[n].method != "POST":
            continue  # what only answers questions is not meant for a batch
        place = config.root.find(("apis", n)).place
        for message, hint in found:
            yield Finding(
                level=Level.INFO if usable else MUST,
                message=f"no batch can use apis[{n}], {config.apis[n].method} {config.apis[n].url}: {message}",
                expected="an api whose two bodies are declared so that requests can be made of files or of table rows",
                document=DOCUMENT,
                hint=hint,
                source=config.source,
                line=place.line,
                column=place.column,
            )
        if not found:
            yield from _undeclared(config, n)


def _faults(api: Api) -> Iterator[tuple[str, str]]:
    """What keeps a batch from using the api, and the remedy."""
    if api.method != "POST":
        yield "a batch sends bodies, which only POST takes", "declare an api with the method POST"
        return
    missing = [side for side, body in (("request", api.request), ("response", api.response)) if not body.data]
    if missing:
        yield f"{' and '.join(missing)} has no schema", 'declare "data" on both sides'
    if not api.request.data:
        return
    properties = api.request.data.get("properties", {})
    if api.file_fields and len(properties) > 1:
        others = ", ".join(name for name in properties if name != api.file_fields[0])
        yield f"the request holds more than one file: {others}", "take one file alone; fix the rest in the server"
    elif not api.file_fields and api.request.content_type == FORM:
        yield "the request is a form without a file", "declare its one field as a file, or take JSON"
    elif not api.file_fields and not has_leaf(api.request.data):
        yield "no column of a table can be put into the request", "declare its strings, numbers and booleans"


def has_leaf(schema: Any) -> bool:
    """Whether a plain schema holds a value that a column can fill: through objects and lists, however deep."""
    if not isinstance(schema, dict):
        return False
    kind = schema.get("type")
    if kind in LEAVES or (isinstance(kind, list) and LEAVES & set(kind)):
        return True
    return any(has_leaf(inner) for inner in _inside(schema))


def _inside(schema: Mapping[str, Any]) -> Iterator[Any]:
    properties, items = schema.get("properties"), schema.get("prefixItems")
    yield from properties.values() if isinstance(properties, dict) else ()
    yield from items if isinstance(items, list) else ()
    yield schema.get("items")


def _undeclared(config: ModelConfig, n: int) -> Iterator[Finding]:
    for side in ("request", "response"):
        body: Node = config.root.find(("apis", n, side))
        # What was filled in where nothing was declared has no name in the file.
        if body.find(("Content-type",)).name_place is None:
            yield Finding(
                level=Level.SHOULD,
                message=f"apis[{n}].{side} declares no Content-type",
                expected="a declared Content-type on both sides, which batch services need",
                document=DOCUMENT,
                hint='add "Content-type": "application/json", or "multipart/form-data" for a file',
                source=config.source,
                line=body.place.line,
                column=body.place.column,
            )
