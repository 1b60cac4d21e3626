"""The dialect of JSON Schema in `data`, put right: what people mean by it, said in JSON Schema 2020-12.

One thing stays that JSON Schema does not have: `{"type": "file"}`, as a direct property of a request's object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mooring.contract.mending import keywords
from mooring.contract.mending.members import number, renamed, unwrapped
from mooring.contract.mending.pruning import pruned
from mooring.contract.names import nearest
from mooring.contract.node import Node, shortened
from mooring.contract.notes import INFO, MUST, SHOULD, Notes

FILE = "file"
# They would give the schema another base or another language than the one we read it in.
_SELF = ("$schema", "$id", "$vocabulary", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor")


def mend_data(node: Node | None, body: Node, what: str, notes: Notes, *, files: bool) -> Node:
    """The schema of a body, `{}` where none was declared. Invalid, with the place, for what is no schema at all."""
    if node is None:
        return Node({}, body.place)
    what = f"{what}.data"
    node = unwrapped(node, what, notes)
    if node.value == "":
        notes.add("CFG-NULL-02", SHOULD, node, f"{what} is empty, read as anything", hint="leave it out", seen='""')
        return node.become({})
    return pruned(_Dialect(notes, files=files).schema(node, what, root=True), what, notes)


def declares_file(schema: Node) -> bool:
    """Whether a mended schema has a file among its direct properties."""
    properties = schema.members.get("properties")
    return any(is_file(child.plain()) for child in properties.members.values()) if properties else False


def is_file(schema: Any) -> bool:
    """Whether a plain schema is that of a file."""
    return isinstance(schema, dict) and schema.get("type") == FILE


@dataclass(frozen=True)
class _Dialect:
    notes: Notes
    files: bool

    def schema(self, node: Node, what: str, *, root: bool = False, field: bool = False) -> Node:
        """One schema. `field` says that it is a direct property of the request, where a file may be."""
        if isinstance(node.value, bool) and not root:
            return node
        if isinstance(node.value, str):
            node = self.type_name(node, what)
        if node.value is None and not root:
            self.notes.add(
                "CFG-NULL-01", SHOULD, node, f"{what} is null, read as anything", hint="write {}", seen="null"
            )
            return node.become({})
        if not node.is_object:
            hint = 'a schema is an object, such as {"type": "integer"}'
            raise self.notes.refusal(node, f"{what} must be a schema, not {node.kind}", hint=hint)
        members = renamed(node, keywords.KNOWN, self.notes, typos=keywords.TYPOS, nulls=keywords.NULLABLE)
        self.without_self(members, what)
        self.types(members, what, field=field)
        self.numbers(members, what)
        self.inner(members, what, root=root)
        self.items(members, what, field=field)
        self.required(members, what)
        return self.file(node.become(members), what, field=field)

    def type_name(self, node: Node, what: str) -> Node:
        """A bare text for a schema: the name of a type, or words about what is meant."""
        word = str(node.value)
        known = (*keywords.TYPES, *keywords.OTHER_TYPES, FILE)
        schema = {"type": word} if word.strip().lower() in known else {"description": word}
        self.notes.add(
            "CFG-SCHEMA-03", SHOULD, node, f"{what} is {node.kind}", hint='write {"type": "..."}', read_as=str(schema)
        )
        return node.become(schema)

    def without_self(self, members: dict[str, Node], what: str) -> None:
        for name in _SELF:
            if name in members:
                node = members.pop(name)
                self.notes.add(
                    "CFG-SCHEMA-04",
                    INFO,
                    node.name,
                    f"{what}: {name} is left out; schemas here are JSON Schema 2020-12",
                    seen=shortened(str(node.plain())),
                )

    def types(self, members: dict[str, Node], what: str, *, field: bool) -> None:
        node = members.get("type")
        if node is None:
            return
        if isinstance(node.value, str):
            words = [self.type_word(node, what, field=field)]
        elif node.is_list and node.items and all(isinstance(item.value, str) for item in node.items):
            words = list(dict.fromkeys(self.type_word(item, what, field=field) for item in node.items))
        else:
            hint = "a property that is called type belongs inside properties" if node.is_object else ""
            raise self.notes.refusal(node, f"{what}.type must be the name of a type, not {node.kind}", hint=hint)
        nullable = members.get("nullable")
        if nullable is not None and nullable.value is True and keywords.ANY not in words:
            self.notes.add("CFG-SCHEMA-03", SHOULD, nullable, f"{what}: nullable is OpenAPI's", read_as="or null")
            del members["nullable"]
            words = [*words, "null"]
        if keywords.ANY in words:
            del members["type"]
        elif len(words) > 1 or (node.is_list and list(node.plain()) != words):
            members["type"] = node.become(words if len(words) > 1 else words[0])
        elif isinstance(node.value, str) and node.value != words[0]:
            members["type"] = node.become(words[0])

    def type_word(self, node: Node, what: str, *, field: bool) -> str:
        seen = str(node.value)
        word = seen.strip().lower()
        if seen in keywords.TYPES or seen == FILE:
            return seen
        known = word in (*keywords.TYPES, FILE)
        read_as = word if known else keywords.OTHER_TYPES.get(word, keywords.ANY)
        close = nearest(word, keywords.TYPES) if word not in keywords.OTHER_TYPES and not known else ""
        if field and word in keywords.LIKE_FILES:
            close = FILE
        self.notes.add(
            "CFG-SCHEMA-01",
            INFO if known else SHOULD,
            node,
            f"{what}: {seen!r} is not a type of JSON Schema",
            hint=f"did you mean {close!r}?"
            if close
            else f"write {read_as!r}"
            if read_as
            else "leave type out for anything",
            seen=seen,
            read_as=read_as or "anything",
        )
        return read_as

    def numbers(self, members: dict[str, Node], what: str) -> None:
        for name in keywords.NUMBERS:
            if name in members:
                members[name] = number(members[name], f"{what}.{name}", self.notes)

    def inner(self, members: dict[str, Node], what: str, *, root: bool) -> None:
        """The schemas inside this one."""
        for name in keywords.ONE:
            if name in members:
                members[name] = self.schema(members[name], f"{what}.{name}")
        for name in keywords.MANY:
            if name in members and members[name].is_list:
                items = [self.schema(item, f"{what}.{name}[{n}]") for n, item in enumerate(members[name].items)]
                members[name] = members[name].become(items)
        for name in keywords.NAMED:
            if name in members:
                fields = self.files and root and name == "properties"
                members[name] = self.named(members[name], f"{what}.{name}", members, fields=fields)

    def named(self, node: Node, what: str, parent: dict[str, Node], *, fields: bool) -> Node:
        node = unwrapped(node, what, self.notes)
        if not node.is_object:
            hint = 'write {"name": {"type": "..."}}'
            raise self.notes.refusal(node, f"{what} must be an object of schemas, not {node.kind}", hint=hint)
        children = node.members
        if what.endswith(".properties"):
            self.lift_required(children, what, parent)
        return node.become(
            {name: self.schema(child, f"{what}.{shortened(name)}", field=fields) for name, child in children.items()}
        )

    def lift_required(self, children: dict[str, Node], what: str, parent: dict[str, Node]) -> None:
        """`"required": true` inside a property, as the third draft had it, moves to the object's list."""
        wanted = []
        for name, child in children.items():
            mark = child.members.get("required")
            if mark is None or not isinstance(mark.value, bool):
                continue
            children[name] = child.become({key: value for key, value in child.members.items() if key != "required"})
            self.notes.add(
                "CFG-SCHEMA-05",
                SHOULD,
                mark,
                f"{what}.{shortened(name)}: required is a list beside properties",
                hint=f'write "required": [{name!r}] beside properties' if mark.value else "leave it out",
                seen=mark.kind,
            )
            wanted += [Node(name, mark.place)] if mark.value else []
        if wanted:
            listed = parent.get("required") or Node((), wanted[0].place)
            present = {item.value for item in listed.items if isinstance(item.value, str)}
            parent["required"] = listed.become([*listed.items, *(node for node in wanted if node.value not in present)])

    def items(self, members: dict[str, Node], what: str, *, field: bool) -> None:
        """A list of one schema means "each item"; a list of several means these, in this order.

        `field` says that a list of files may stand here; `file` makes one file of it.
        """
        node = members.get("items")
        if node is None:
            return
        if not node.is_list:
            members["items"] = self.schema(node, f"{what}.items", field=field)
            return
        seen = "a list of one schema" if len(node.items) == 1 else f"a list of {len(node.items)} schemas"
        del members["items"]
        alone = field and len(node.items) == 1
        schemas = [self.schema(item, f"{what}.items[{n}]", field=alone) for n, item in enumerate(node.items)]
        if len(schemas) == 1:
            members["items"] = node.become(schemas[0].value)
        elif schemas:
            members["prefixItems"] = node.become(schemas)
            if "additionalItems" in members:
                members["items"] = self.schema(members.pop("additionalItems"), f"{what}.additionalItems")
        means = {0: "items of any kind", 1: "every item has this schema"}.get(len(schemas), "the items in this order")
        self.notes.add("CFG-SCHEMA-06", INFO, node, f"{what}.items is {seen}", seen=seen, read_as=means)

    def required(self, members: dict[str, Node], what: str) -> None:
        node = members.get("required")
        if node is None:
            return
        if isinstance(node.value, str):
            self.notes.add("CFG-SHAPE-02", SHOULD, node, f"{what}.required should be a list", hint="put it in [ ]")
            node = node.become([Node(node.value, node.place)])
        names = [item for item in node.items if isinstance(item.value, str)]
        unique = list({item.value: item for item in names}.values())
        if len(names) == len(node.items) and len(unique) < len(names):
            self.notes.add("CFG-SCHEMA-05", INFO, node, f"{what}.required names something twice", read_as="once")
            node = node.become(unique)
        members["required"] = node

    def file(self, node: Node, what: str, *, field: bool) -> Node:
        """A file stays where a form can carry it; anywhere else it means nothing that JSON could hold."""
        members = node.members
        if field and "items" in members and is_file(members["items"].plain()):
            self.notes.add(
                "CFG-SCHEMA-02", SHOULD, node, f"{what} is a list of files", hint="declare one file", read_as="file"
            )
            return node.become({"type": FILE})
        if not is_file(node.plain()) or field:
            return node
        self.notes.add(
            "CFG-SCHEMA-02",
            MUST,
            node,
            f"{what} is a file, which only a direct property of a request can be",
            hint="send it as a field of its own",
            seen=FILE,
            read_as="anything",
        )
        return node.become({key: child for key, child in members.items() if key != "type"})
