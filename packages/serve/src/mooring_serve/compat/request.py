"""A request in the shapes that `_preprocess` knows: form fields, files by name, JSON decoded or as text."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mooring_serve.handler import File


class JsonText(str):
    """A JSON body as text, for the engines whose samples decode it themselves; code that expects a dict works too.

    `json.loads(data)` sees the text; `data["data"]`, `data.get(...)`, `data.items()` see the decoded object.
    """

    __slots__ = ("value",)

    value: Any

    @classmethod
    def of(cls, value: object) -> JsonText:
        """The text of a decoded JSON value, its members in the order they came."""
        text = cls(json.dumps(value, ensure_ascii=False))
        text.value = value
        return text

    def __getitem__(self, key: Any) -> Any:
        """A character or slice by number, as of any text; a member of the object by name."""
        return self.value[key] if isinstance(key, str) else str.__getitem__(self, key)

    def get(self, key: str, default: object = None) -> Any:
        """A member of the object, or the default."""
        return self.value.get(key, default)

    def keys(self) -> Iterable[str]:
        """The names of the object's members."""
        return self.value.keys()  # type: ignore[no-any-return] # any JSON value; what is no object says so

    def values(self) -> Iterable[Any]:
        """The object's members."""
        return self.value.values()  # type: ignore[no-any-return] # the same

    def items(self) -> Iterable[tuple[str, Any]]:
        """The object's members with their names."""
        return self.value.items()  # type: ignore[no-any-return] # the same


def is_empty(value: object, files: list[File]) -> bool:
    """Whether nothing was sent at all; `[]`, `0` and `false` are something."""
    return not files and (value is None or (isinstance(value, (dict, str)) and not value))


def shaped(value: object, files: list[File], *, text: bool) -> object:
    """The `data` of a request.

    Args:
        value: the decoded JSON body, or a dict of the form's text fields and the query.
        files: the form's files, in the order they came.
        text: JSON goes to the service as text.

    Returns:
        With files, `{field: {file name: binary file}}` with the text fields beside them; else the JSON value or its
        text.
    """
    if not files:
        return JsonText.of(value) if text else value
    data: dict[str, Any] = dict(value) if isinstance(value, dict) else {}
    taken: set[str] = set()
    for file in files:
        if file.field not in taken:
            data[file.field] = OrderedDict()
            taken.add(file.field)
        data[file.field][_free(file.name or file.field, data[file.field])] = file
    return data


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, numbered where it was sent before: no file of a field is lost to another of the same name."""
    stem, dot, suffix = name.rpartition(".")
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{stem}-{number}.{suffix}" if dot else f"{name}-{number}"
    return free
