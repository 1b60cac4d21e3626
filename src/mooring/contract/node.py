"""A JSON value that remembers where in its file it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Place(NamedTuple):
    """A line and a column, both counted from 1, the column in characters."""

    line: int
    column: int


Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place; for a member of an object also the place of its name.

    `value` is a scalar, a tuple of nodes (a list) or a dict of nodes (an object, its order kept). `literal` is how a
    number was written, which its value no longer tells (1.10).
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    place: Place
    name_place: Place | None = None
    literal: str = ""

    @property
    def members(self) -> dict[str, Node]:
        """A copy of an object's members; empty for everything else."""
        return dict(self.value) if isinstance(self.value, dict) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """A list's items; empty for everything else."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def is_object(self) -> bool:
        """Whether it is a JSON object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a JSON array."""
        return isinstance(self.value, tuple)

    @property
    def name(self) -> Place:
        """Where the member's name stands; where the value stands, if it has no name."""
        return self.name_place or self.place

    @property
    def kind(self) -> str:
        """What it is, in the words of a message: "a list", "the text 'x'"."""
        if self.is_object:
            return "an object"
        if self.is_list:
            return "a list"
        return described(self.value)

    def become(self, value: Any) -> Node:
        """Another value in the same place; plain lists and dicts are turned into nodes."""
        return replace(self, value=_inner(value, self.place), literal="")

    def plain(self) -> Any:
        """The value without places, as json.loads would give it."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def find(self, path: Sequence[str | int]) -> Node:
        """The node at that path, or the nearest one above it that there is."""
        node = self
        for step in path:
            inner: dict[Any, Node] = node.members or dict(enumerate(node.items))
            if step not in inner:
                break
            node = inner[step]
        return node


def described(value: object) -> str:
    """A plain JSON value in the words of a message, long texts cut."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {shortened(value)!r}"
    if isinstance(value, int | float):
        return f"the number {shortened(str(value))}"
    return "a list" if isinstance(value, list | tuple) else "an object"


def shortened(text: str, limit: int = 60) -> str:
    """The text, cut where it would fill a screen."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _inner(value: Any, place: Place) -> Any:
    if isinstance(value, dict):
        return {
            name: item if isinstance(item, Node) else Node(_inner(item, place), place) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return tuple(item if isinstance(item, Node) else Node(_inner(item, place), place) for item in value)
    return value
