"""The dependencies of config.json, put right: empty versions, pip's own notation, restraints."""

from __future__ import annotations

import re

from mooring.contract.mending.members import Kind, a_list, filled_text, renamed, text
from mooring.contract.names import nearest
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

RESTRAINTS = {"EXACT": "==", "ATLEAST": ">=", "ATMOST": "<="}
GROUP = {"installer": Kind.TEXT, "packages": Kind.LIST}
PACKAGE = dict.fromkeys(("package_name", "package_version", "restraint"), Kind.TEXT)
_BY_SIGN = {sign: word for word, sign in RESTRAINTS.items()}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.\-]*(?:\[[\w.,\- ]*\])?)\s*(==|>=|<=)\s*([\w.*+!\-]+)\s*")


def mend_dependencies(node: Node, notes: Notes) -> Node:
    """The groups in their order, each one step of the installer. Invalid where a group or a package makes no sense."""
    groups = a_list(node, "dependencies", notes)
    return groups.become([_group(group, f"dependencies[{n}]", notes) for n, group in enumerate(groups.items)])


def _group(node: Node, what: str, notes: Notes) -> Node:
    if not node.is_object:
        raise notes.refusal(
            node,
            f"{what} must be an object, not {node.kind}",
            hint='write {"installer": "pip", "packages": [...]}',
        )
    members = renamed(node, GROUP, notes)
    filled_text(members, "installer", f"{what}.installer", notes)
    if "installer" not in members:
        notes.add("CFG-DEP-03", MUST, node, f"{what} names no installer, read as pip", hint='write "installer": "pip"')
        members = {"installer": Node("pip", node.place), **members}
    installer = members["installer"]
    if str(installer.value) != str(installer.value).lower():
        seen, lower = str(installer.value), str(installer.value).lower()
        message = f"installer is written {shortened(seen)!r}, read as {shortened(lower)!r}"
        notes.add("CFG-CASE-01", INFO, installer, message, hint=f"write {shortened(lower)!r}", seen=seen, read_as=lower)
        members["installer"] = installer.become(lower)
    packages = a_list(members.get("packages", Node((), node.place)), f"{what}.packages", notes)
    items = [_package(package, f"{what}.packages[{n}]", notes) for n, package in enumerate(packages.items)]
    members["packages"] = packages.become(items)
    return node.become(members)


def _package(node: Node, what: str, notes: Notes) -> Node:
    if isinstance(node.value, str):
        notes.add(
            "CFG-DEP-04", SHOULD, node, f"{what} is a text", hint=f'write {{"package_name": "{node.value.strip()}"}}'
        )
        node = node.become({"package_name": Node(node.value.strip(), node.place)})
    if not node.is_object:
        raise notes.refusal(node, f"{what} must be an object, not {node.kind}")
    members = renamed(node, PACKAGE, notes)
    if "package_name" not in members:
        raise notes.refusal(node, f"{what} has no package_name")
    members["package_name"] = text(members["package_name"], f"{what}.package_name", notes)
    if not members["package_name"].value:
        raise notes.refusal(members["package_name"], f"{what}.package_name is empty")
    for name in ("package_version", "restraint"):
        _drop_empty(members, name, what, notes)
    _split_requirement(members, notes)
    _restraint(members, what, notes)
    return node.become(members)


def _drop_empty(members: dict[str, Node], name: str, what: str, notes: Notes) -> None:
    """An empty version is the documents' own way to say "any"; nobody needs to be told."""
    if name not in members:
        return
    members[name] = text(members[name], f"{what}.{name}", notes)
    if members[name].value == "":
        notes.add("CFG-DEP-05", INFO, members[name], f"{name} is empty, read as absent", hint="leave it out", seen='""')
        del members[name]


def _split_requirement(members: dict[str, Node], notes: Notes) -> None:
    name = members["package_name"]
    match = _REQUIREMENT.fullmatch(str(name.value))
    if match is None or "package_version" in members:
        return
    members["package_name"] = name.become(match[1])
    members["package_version"] = Node(match[3], name.place)
    members["restraint"] = Node(_BY_SIGN[match[2]], name.place)
    notes.add(
        "CFG-DEP-04",
        SHOULD,
        name,
        "the version stands in package_name",
        hint="use package_version and restraint",
        seen=str(name.value),
        read_as=f"{match[1]}, {members['restraint'].value} {match[3]}",
    )


def _restraint(members: dict[str, Node], what: str, notes: Notes) -> None:
    restraint = members.get("restraint")
    if restraint is None:
        if "package_version" in members:
            version = members["package_version"]
            notes.add(
                "CFG-DEP-02",
                MUST,
                version,
                f"{what} has a version and no restraint, read as EXACT",
                hint=f"add a restraint: {', '.join(RESTRAINTS)}",
                read_as="EXACT",
            )
            members["restraint"] = Node("EXACT", version.place)
        return
    if "package_version" not in members:
        notes.add(
            "CFG-DEP-02",
            SHOULD,
            restraint,
            f"{what} has a restraint and no version, read as any version",
            hint="leave restraint out, or add package_version",
            seen=str(restraint.value),
        )
        del members["restraint"]
        return
    seen = str(restraint.value)
    word = _BY_SIGN.get(seen, next((word for word in RESTRAINTS if word == seen.upper()), seen))
    if word != seen:
        message = f"restraint is written {seen!r}, read as {word!r}"
        notes.add("CFG-CASE-01", INFO, restraint, message, hint=f"write {word!r}", seen=seen, read_as=word)
        members["restraint"] = restraint.become(word)
    elif seen not in RESTRAINTS:
        raise notes.refusal(
            restraint,
            f"{what}.restraint is {seen!r}; known are {', '.join(RESTRAINTS)}",
            hint=f"did you mean {nearest(seen, RESTRAINTS)!r}?" if nearest(seen, RESTRAINTS) else "",
        )
