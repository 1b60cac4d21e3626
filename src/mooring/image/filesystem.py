"""The files of an image: every layer's entries, and the one tree that they add up to."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

# Who speaks of files finds all of it here.
from mooring.image.entry import Entry, EntryKind, LayerSize, Note, Oddity
from mooring.image.record import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mooring.image.tree import Place, Tree

__all__ = ["Entry", "EntryKind", "Filesystem", "LayerSize", "Note", "Oddity"]

EXECUTABLE = 0o111


class Filesystem:
    """What one pass over an image's layers leaves: the merged tree, sizes, kept small texts, and notes.

    Paths are absolute, as a container sees them. Nothing outside the image is ever looked at: symlinks are followed
    inside it, `..` at its root stays there.
    """

    def __init__(self, tree: Tree, layers: Sequence[LayerSize], oddities: Sequence[Oddity]) -> None:
        self._tree = tree
        self.layers = tuple(layers)
        self.oddities = tuple(oddities)

    @cached_property
    def size(self) -> int:
        """Bytes of all files of all layers: what the image takes on a node's disk, unpacked."""
        return sum(layer.unpacked for layer in self.layers)

    @cached_property
    def hidden_bytes(self) -> int:
        """Bytes of files that later layers delete or replace: they are stored and transferred, and no one sees them."""
        seen, columns = self._visible, self._tree.columns
        return sum(
            size
            for index, size in enumerate(columns.sizes)
            if size and not seen[index] and columns.kind(index) is EntryKind.FILE
        )

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """What the inspector returned, layer by layer, in the order of the files in them."""
        return tuple(
            Note(entry=self._entry(path, index), value=value, visible=bool(self._visible[index]))
            for index, (path, value) in sorted(self._tree.values.items())
        )

    def entries(self) -> Iterator[Entry]:
        """Everything in the merged tree but its root, a folder before what is in it."""
        for path, index in self._tree.walk():
            yield self._entry(path, index)

    def get(self, path: str) -> Entry | None:
        """What lies at that path, symlinks in its parents followed; a symlink at its end is what is given."""
        place = self._tree.find(path, follow=False)
        return self._entry(_written(place), place.entry) if place else None

    def resolve(self, path: str) -> Entry | None:
        """The file or folder that opening the path would give, with the path it really has; None if missing or a loop.

        A hard link is the file it shares, at the link's own path.
        """
        place = self._tree.find(path, follow=True)
        index = self._content(place) if place else None
        return self._entry(_written(place), index) if place and index is not None else None

    def text(self, path: str) -> bytes | None:
        """The content of a small file that was kept, links followed; None if it was not kept or is not there."""
        place = self._tree.find(path, follow=True)
        index = self._content(place) if place else None
        return None if index is None else self._tree.texts.get(index)

    def which(self, program: str, path: str) -> Entry | None:
        """The executable file a shell would run, resolved; `path` is a PATH, not looked at when `program` has a slash.

        Relative folders of PATH are left out: it is not known where they would lead.
        """
        if "/" in program:
            places = [program]
        else:
            places = [f"{folder}/{program}" for folder in path.split(":") if folder.startswith("/")]
        for place in places if program else ():
            entry = self.resolve(place)
            if entry and entry.kind is EntryKind.FILE and entry.mode & EXECUTABLE:
                return entry
        return None

    def largest(self, count: int) -> tuple[Entry, ...]:
        """The biggest files in the merged tree, the biggest first."""
        columns = self._tree.columns
        files = (
            (columns.sizes[index], path, index)
            for path, index in self._tree.walk()
            if columns.kind(index) is EntryKind.FILE
        )
        return tuple(self._entry(path, index) for _, path, index in heapq.nlargest(count, files))

    @cached_property
    def _visible(self) -> bytearray:
        return self._tree.visible()

    def _content(self, place: Place) -> int | None:
        """The place in the columns of what is really there: a hard link's file; None if it has none."""
        index = self._tree.links.get(place.entry, place.entry)
        return None if self._tree.kind(index) is EntryKind.HARD_LINK else index

    def _entry(self, path: str, index: int) -> Entry:
        tree, columns = self._tree, self._tree.columns
        size = columns.sizes[index]
        return Entry(
            path=path,
            kind=columns.kind(index),
            size=size,
            stored_size=tree.stored_sizes.get(index, size),
            mode=columns.modes[index] & 0o7777,
            uid=columns.uids[index],
            gid=columns.gids[index],
            target=tree.targets.get(index, ""),
            layer=max(bisect_right(tree.starts, index) - 1, 0),
            capabilities=bool(columns.modes[index] & CAPABILITIES),
        )


def _written(place: Place) -> str:
    return "/" + "/".join(place.names)
