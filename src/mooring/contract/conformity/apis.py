"""What an edition says about apis: their addresses, their content types, and whether a batch could use them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.contract import vocabulary as v
from mooring.contract.conformity.schemas import schema_breaches
from mooring.contract.mending.bodies import JSON
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

if TYPE_CHECKING:
    from mooring.contract.edition import Edition

# Engines whose serving code reads JSON only.
JSON_ONLY = ("XGBoost", "Scikit_Learn", "Spark_MLlib")
METHODS = ("GET", "POST")


def apis_breaches(apis: Node, model_type: str, edition: Edition, notes: Notes) -> None:
    """Note what the edition has against the clean list of apis."""
    seen: dict[tuple[object, object], int] = {}
    for n, api in enumerate(apis.items):
        members, what = api.members, f"apis[{n}]"
        address = (members["method"].value, members["url"].value)
        if address in seen:
            message = f"{what} answers {address[0]} {address[1]}, as apis[{seen[address]}] does"
            notes.add("CFG-API-01", MUST, api, message, hint="give it another url, or remove one")
        seen.setdefault(address, n)
        _address(members, what, edition, notes)
        _bodies(members, what, model_type, edition, notes)
    if model_type != "Image":
        _one_root(apis, model_type, notes)


def _one_root(apis: Node, model_type: str, notes: Notes) -> None:
    hint = 'only an image ("model_type": "Image") may have several apis and other urls'
    if len(apis.items) > 1:
        notes.add("CFG-API-02", MUST, apis, f"a {model_type} model has one api, not {len(apis.items)}", hint=hint)
    for n, api in enumerate(apis.items):
        url = api.members["url"]
        if url.value != "/":
            message = f"the url of a {model_type} model is '/', not {shortened(str(url.value))!r}"
            notes.add("CFG-API-02", MUST, url, f"apis[{n}]: {message}", hint=hint)


def _address(members: dict[str, Node], what: str, edition: Edition, notes: Notes) -> None:
    protocols = edition.get(v.SERVICE_PROTOCOLS, ())
    if protocols and members["protocol"].value not in protocols:
        hint = f"write {' or '.join(protocols)}"
        message = f"{what}.protocol is {shortened(str(members['protocol'].value))!r}"
        notes.add("CFG-PROTO-01", MUST, members["protocol"], message, hint=hint)
    if members["method"].value not in METHODS:
        message = f"{what}.method is {shortened(str(members['method'].value))!r}"
        notes.add("CFG-API-04", MUST, members["method"], message, hint=f"the platform knows {' and '.join(METHODS)}")
    if re.search(r"[\s?#\\{}<>\"]", str(members["url"].value)):
        message = f"{what}.url is not a plain path: {shortened(str(members['url'].value))!r}"
        notes.add(
            "CFG-URL-02", MUST, members["url"], message, hint="a path has no blanks, no query and no placeholders"
        )


def _bodies(members: dict[str, Node], what: str, model_type: str, edition: Edition, notes: Notes) -> None:
    for side, fact in (("request", v.CONFIG_REQUEST_TYPES), ("response", v.CONFIG_RESPONSE_TYPES)):
        kind, allowed = members[side].members["Content-type"], edition.get(fact, ())
        if allowed and kind.value not in allowed:
            message = f"{what}.{side} is {shortened(str(kind.value))!r}"
            notes.add("CFG-CT-01", SHOULD, kind, message, hint=f"{edition.name} knows {', '.join(allowed)}")
        schema_breaches(members[side].members["data"], f"{what}.{side}.data", notes)
    request = members["request"].members
    if model_type in JSON_ONLY and request["Content-type"].value != JSON:
        message = f"{what}.request: a {model_type} model reads {JSON} only"
        notes.add("CFG-CT-04", MUST, request["Content-type"], message, hint=f"write {JSON}")
    missing = [side for side in ("request", "response") if not members[side].members["data"].members]
    # A batch sends bodies; an api that takes none is not meant for it.
    if missing and members["method"].value != "GET":
        message = f"{what} has no schema for its {' and '.join(missing)}, so no batch service can use it"
        notes.add("CFG-CT-02", INFO, members[missing[0]], message, hint='declare "data" on both sides')
