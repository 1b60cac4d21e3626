"""The two bodies of an api, put right: what type of content they have, and the schema of it."""

from __future__ import annotations

import difflib

from mooring.contract.mending.data import declares_file, mend_data
from mooring.contract.mending.keywords import KEYWORDS
from mooring.contract.mending.members import Kind, an_object, renamed, text
from mooring.contract.node import Node
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

JSON = "application/json"
FORM = "multipart/form-data"
BODY = {"Content-type": Kind.TEXT, "data": Kind.OBJECT}
# Too far from the right spelling to be recognised by likeness.
_SAID_OTHERWISE = {"json": JSON, "multipart/json": JSON, "text/json": JSON, "form-data": FORM, "multipart": FORM}


def mend_request(node: Node, what: str, notes: Notes) -> Node:
    """The request's content type and schema. A file can only come as a form, so a file makes it one."""
    members = _members(node, what, notes)
    data = mend_data(members.get("data"), node, what, notes, files=True)
    kind = _content_type(members, node, what, notes)
    if kind.value != FORM and declares_file(data):
        declared = "Content-type" in members
        notes.add(
            "CFG-SCHEMA-02",
            MUST if declared else SHOULD,
            kind,
            f"{what} declares a file " + (f"and is {kind.value}" if declared else "and no Content-type"),
            hint=f"a file comes as {FORM}: declare that",
            seen=str(kind.value) if declared else "",
            read_as=FORM,
        )
        kind = kind.become(FORM)
    return node.become({"Content-type": kind, "data": data} | _rest(members))


def mend_response(node: Node, what: str, notes: Notes) -> Node:
    """The response's content type and schema. The documents' samples say multipart where JSON is sent."""
    members = _members(node, what, notes)
    data = mend_data(members.get("data"), node, what, notes, files=False)
    kind = _content_type(members, node, what, notes)
    if kind.value == FORM:
        notes.add(
            "CFG-CT-03",
            SHOULD,
            kind,
            f"{what} is declared as {FORM}; answers are JSON",
            hint=f"write {JSON}",
            seen=FORM,
            read_as=JSON,
        )
        kind = kind.become(JSON)
    return node.become({"Content-type": kind, "data": data} | _rest(members))


def schema_of_params(node: Node, what: str, notes: Notes) -> Node:
    """The schema that REST parameters stand for: an object as it is, a flat list of parameters as its properties."""
    if not node.is_list:
        return an_object(node, what, notes)
    properties: dict[str, Node] = {}
    for n, item in enumerate(node.items):
        param = item.members
        name = param.get("param_name")
        if name is None or not isinstance(name.value, str):
            raise notes.refusal(item, f"{what}[{n}] has no param_name")
        schema = {"type": param["param_type"]} if "param_type" in param else {}
        names = {"min": "minimum", "max": "maximum", "param_desc": "description"}
        schema |= {names[key]: child for key, child in param.items() if key in names}
        properties[name.value] = item.become(schema)
    return node.become({"type": "object", "properties": node.become(properties)})


def _members(node: Node, what: str, notes: Notes) -> dict[str, Node]:
    """The body's members, with a schema that was written without its wrapper back in `data`."""
    members = renamed(an_object(node, what, notes), BODY, notes)
    loose = {name: child for name, child in members.items() if name in KEYWORDS or name == "item"}
    data = members.get("data")
    if not loose or (data is not None and not data.is_object):
        return members
    inside = data.members if data else {}
    stray = {name: child for name, child in loose.items() if name not in inside}
    if not stray:
        return members
    first = next(iter(stray.values()))
    where = f"{', '.join(stray)} beside data" if data else "a schema without its wrapper"
    notes.add(
        "CFG-SHAPE-09", SHOULD, first.name, f"{what} holds {where}", hint='put it inside "data": {...}', read_as="data"
    )
    rest = {name: child for name, child in members.items() if name not in stray}
    place = data or Node({}, first.place, first.name_place)
    return rest | {"data": place.become(inside | stray)}


def _content_type(members: dict[str, Node], node: Node, what: str, notes: Notes) -> Node:
    kind = members.get("Content-type")
    if kind is None:
        return Node(JSON, node.place)
    kind = text(kind, f"{what}.Content-type", notes)
    if kind.value == "":
        notes.add("CFG-NULL-02", SHOULD, kind, f"{what}.Content-type is empty", seen='""', read_as=JSON)
        return kind.become(JSON)
    seen = str(kind.value)
    bare = seen.partition(";")[0].strip().lower()
    close = difflib.get_close_matches(bare, (JSON, FORM), n=1, cutoff=0.9)
    read_as = _SAID_OTHERWISE.get(bare) or (close[0] if close else bare)
    if read_as == seen:
        return kind
    misspelt = read_as != bare
    notes.add(
        "CFG-CT-01",
        SHOULD if misspelt else INFO,
        kind,
        f"{what}.Content-type is {'misspelt' if misspelt else 'written in another way'}",
        hint=f"write {read_as}",
        seen=seen,
        read_as=read_as,
    )
    return kind.become(read_as)


def _rest(members: dict[str, Node]) -> dict[str, Node]:
    return {name: child for name, child in members.items() if name not in BODY}
