"""The apis of config.json, put right: their address, their method, and the two bodies in the places they belong."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mooring.contract.mending.bodies import mend_request, mend_response, schema_of_params
from mooring.contract.mending.members import Kind, a_list, an_object, renamed, text
from mooring.contract.names import folded
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

API = {
    "protocol": Kind.TEXT,
    "url": Kind.TEXT,
    "method": Kind.TEXT,
    "request": Kind.OBJECT,
    "response": Kind.OBJECT,
}
# "procotol" stands in the documents' own samples; the others were read off its pattern.
TYPOS = {
    "procotol": "protocol",
    "protocal": "protocol",
    "protcol": "protocol",
    "requests": "request",
    "responses": "response",
    "respone": "response",
}
DEFAULTS = {"protocol": "http", "url": "/", "method": "POST"}
# The REST interface's names for the same things.
REST = {"inputparams": "request", "outputparams": "response"}


def mend_apis(node: Node | None, root: Node, notes: Notes) -> Node:
    """The list of apis, each complete; without any, the contract's default: POST / with JSON on both sides."""
    apis = None if node is None else a_list(node, "apis", notes)
    if apis is None or not apis.items:
        at = apis or root
        hint = 'declare them: "apis": [{"url": "/", "method": "post", ...}]'
        notes.add(
            "CFG-API-03", SHOULD, at, "no api is declared", hint=hint, read_as="POST / with application/json both ways"
        )
        return at.become([api(Node({}, at.place), "apis[0]", notes)])
    return apis.become([api(item, f"apis[{n}]", notes) for n, item in enumerate(apis.items)])


def api(node: Node, what: str, notes: Notes) -> Node:
    """One api with all five members of the clean form, unknown ones after them."""
    node = an_object(node, what, notes)
    members = _rest_names(renamed(node, API, notes, typos=TYPOS), notes)
    _response_inside_request(members, notes)
    clean = {
        "protocol": _protocol(members, node, what, notes),
        "url": _url(members, node, what, notes),
        "method": _method(members, node, what, notes),
        "request": mend_request(members.get("request") or Node({}, node.place), f"{what}.request", notes),
        "response": mend_response(members.get("response") or Node({}, node.place), f"{what}.response", notes),
    }
    return node.become(clean | {name: child for name, child in members.items() if name not in clean})


def _text(members: dict[str, Node], name: str, node: Node, what: str, notes: Notes) -> Node:
    """The member's text; the default, without a word, where it is absent: the contract has these defaults."""
    child = members.get(name)
    if child is None:
        return Node(DEFAULTS[name], node.place)
    child = text(child, f"{what}.{name}", notes)
    if child.value == "":
        notes.add(
            "CFG-NULL-02",
            SHOULD,
            child,
            f"{what}.{name} is empty",
            hint="leave it out",
            seen='""',
            read_as=DEFAULTS[name],
        )
        return child.become(DEFAULTS[name])
    return child


def _protocol(members: dict[str, Node], node: Node, what: str, notes: Notes) -> Node:
    child = _text(members, "protocol", node, what, notes)
    return _cased(child, "protocol", str(child.value).lower().removesuffix("://"), notes)


def _method(members: dict[str, Node], node: Node, what: str, notes: Notes) -> Node:
    child = _text(members, "method", node, what, notes)
    return _cased(child, "method", str(child.value).upper(), notes)


def _cased(child: Node, name: str, value: str, notes: Notes) -> Node:
    if value == child.value:
        return child
    notes.add(
        "CFG-CASE-01",
        INFO,
        child,
        f"{name} is {shortened(str(child.value))!r}",
        hint=f"write {value}",
        seen=str(child.value),
        read_as=value,
    )
    return child.become(value)


def _url(members: dict[str, Node], node: Node, what: str, notes: Notes) -> Node:
    child = _text(members, "url", node, what, notes)
    seen = str(child.value)
    path = seen
    if re.match(r"https?://", seen, re.IGNORECASE):
        try:
            path = urlsplit(seen).path or "/"
        except ValueError as error:
            raise notes.refusal(child, f"{what}.url is not a URL: {error}") from error
    if not path.startswith("/"):
        path = f"/{path}"
    if path == seen:
        return child
    notes.add(
        "CFG-URL-01",
        SHOULD,
        child,
        f"{what}.url must be a path that begins with '/'",
        hint=f"write {path!r}",
        seen=seen,
        read_as=path,
    )
    return child.become(path)


def _response_inside_request(members: dict[str, Node], notes: Notes) -> None:
    request = members.get("request")
    if request is None or not request.is_object or "response" in members:
        return
    inside = next((name for name in request.members if folded(name) == "response"), "")
    if not inside:
        return
    rest = request.members
    members["response"] = rest.pop(inside)
    members["request"] = request.become(rest)
    notes.add(
        "CFG-SHAPE-07",
        MUST,
        members["response"].name,
        "response stands inside request",
        hint="move a closing brace: response belongs beside request",
    )


def _rest_names(members: dict[str, Node], notes: Notes) -> dict[str, Node]:
    """`input_params` and `output_params`, which the REST interface has instead of `request` and `response`."""
    for seen, child in list(members.items()):
        name = REST.get(folded(seen), "")
        if not name or name in members:
            continue
        body: dict[str, Node] = {"data": schema_of_params(members.pop(seen), seen, notes)}
        kind = next((other for other in members if folded(other) == "contenttype"), "")
        if kind and name == "request":
            body["Content-type"] = members.pop(kind)
        notes.add(
            "CFG-SHAPE-08",
            SHOULD,
            child.name,
            f"{seen} is the REST interface's name",
            hint=f'in config.json write "{name}": {{"Content-type": ..., "data": ...}}',
            seen=seen,
            read_as=name,
        )
        members[name] = child.become(body)
    return members
