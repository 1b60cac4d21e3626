"""Where a command of the start is written, as findings name places: a script and its line, or an instruction."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """`source` is a file of the image or an instruction of the Dockerfile; `line` is 0 where it is no file."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        """As people write it: `/home/run.sh:3`, or `CMD`."""
        return f"{self.source}:{self.line}" if self.line else self.source


def place_of(source: str, otherwise: str = "CMD") -> Place:
    """The place of a command whose source is `/home/run.sh:3`; `otherwise` where that is no file."""
    if not source.startswith("/"):
        return Place(otherwise)
    path, _, line = source.rpartition(":")
    return Place(path, int(line)) if path and line.isascii() and line.isdigit() else Place(source)
