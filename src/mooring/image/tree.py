"""The one tree that an image's layers add up to: each laid over the older ones, as a container runtime does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mooring.errors import Invalid
from mooring.image.entry import EntryKind
from mooring.image.member import Member
from mooring.image.record import FOLDER_COUNTS, MAX_ENTRIES, Columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image.record import LayerRecord

    # A folder is its children by name, and its own entry under "", which is no name; all else is an entry's index.
    Folder: TypeAlias = dict[str, "int | Folder"]

# What Linux allows before it calls it a loop.
MAX_HOPS = 40
# Parts of all targets on one way, beyond which it counts as a loop: 40 long targets for each of a million hard links
# would take hours. Real ways have ten.
MAX_TARGET_PARTS = 1000
# What a path may have when all symlinks in it are followed: as long as Linux takes one at once.
MAX_REAL_PATH = 4096
IMPLICIT = Member(name="", mode=0o755)


class Place(NamedTuple):
    """Something in the tree: the path that leads to it without symlinks, and what it is."""

    names: tuple[str, ...]
    node: int | Folder

    @property
    def entry(self) -> int:
        """The place of its entry in the columns."""
        return own_index(self.node)


def own_index(node: int | Folder) -> int:
    """The place in the columns of a file's or a folder's own entry."""
    if isinstance(node, dict):
        node = node[""]
    assert isinstance(node, int)  # noqa: S101 -- what stands under "" is one; a cast would say less
    return node


class Tree:
    """Layers merged so far. Entries keep their place in the columns for good, also when a later layer hides them."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.columns.append(IMPLICIT, EntryKind.FOLDER)
        self.root: Folder = {"": 0}
        self.starts: list[int] = []
        self.implied = 0
        self.stored_sizes: dict[int, int] = {}
        self.targets: dict[int, str] = {}
        self.texts: dict[int, bytes] = {}
        self.values: dict[int, tuple[str, Any]] = {}
        # Hard links, by the index of the file they share; it stays theirs whatever happens to its path.
        self.links: dict[int, int] = {}

    def kind(self, index: int) -> EntryKind:
        """What the entry at that place is."""
        return self.columns.kind(index)

    def lay(self, record: LayerRecord) -> None:
        """Put the next layer on top; Invalid when the image has more entries than any needs."""
        _Laying(self, record).run()

    def find(self, path: str, *, follow: bool) -> Place | None:
        """What lies at a path, symlinks in it followed inside the root; None if nothing, or a loop.

        Without `follow`, a symlink at its end is what is found.
        """
        # Longer than functions are here: one loop over one state, which would only be handed to and fro.
        names: list[str] = []
        trail = [self.root]
        left = path.split("/")[::-1]
        hops = expanded = 0
        while left:
            part = left.pop()
            if part in {"", "."}:
                continue
            if part == "..":
                if names:
                    names.pop()
                    trail.pop()
                continue
            node = trail[-1].get(part)
            if node is None:
                return None
            if isinstance(node, dict):
                names.append(part)
                trail.append(node)
                continue
            if self.kind(node) is not EntryKind.SYMLINK or not (left or follow):
                return None if left else Place((*names, part), node)
            target = self.targets.get(node, "")
            hops += 1
            expanded += target.count("/")
            if hops > MAX_HOPS or expanded > MAX_TARGET_PARTS:
                return None
            if target.startswith("/"):
                names, trail = [], [self.root]
            left.extend(target.split("/")[::-1])
        return Place(tuple(names), trail[-1])

    def walk(self) -> Iterator[tuple[str, int]]:
        """The path and the index of everything in the tree but the root; a folder before what is in it."""
        waiting: list[tuple[str, Folder]] = [("", self.root)]
        while waiting:
            path, folder = waiting.pop()
            for name, node in folder.items():
                if not name:
                    continue
                below = f"{path}/{name}"
                yield below, own_index(node)
                if isinstance(node, dict):
                    waiting.append((below, node))

    def visible(self) -> bytearray:
        """For every place in the columns, 1 if the tree shows that entry, or a hard link to it."""
        seen = bytearray(len(self.columns))
        seen[0] = 1
        folders = [self.root]
        while folders:
            for name, node in folders.pop().items():
                if isinstance(node, dict):
                    folders.append(node)
                    seen[own_index(node)] = 1
                elif name:
                    seen[node] = 1
        for link, target in self.links.items():
            if seen[link]:
                seen[target] = 1
        return seen


class _Laying:
    """One layer being put on the tree."""

    def __init__(self, tree: Tree, record: LayerRecord) -> None:
        self._tree = tree
        self._record = record
        self._start = len(tree.columns)
        self._end = self._start + len(record)
        self._homes: dict[int, Folder] = {}

    def run(self) -> None:
        tree, record, start = self._tree, self._record, self._start
        tree.starts.append(start)
        tree.columns.extend(record.columns)
        tree.stored_sizes.update((start + index, size) for index, size in record.stored_sizes.items())
        tree.targets.update((start + index, target) for index, target in record.targets.items())
        tree.texts.update((start + index, text) for index, text in record.texts.items())
        self._hide()
        self._place()

    def _hide(self) -> None:
        """Whiteouts are about older layers, wherever in the layer they stand: so they come first."""
        for path in self._record.opaque:
            place = self._tree.find(path, follow=True)
            if place and isinstance(place.node, dict):
                own = place.node[""]
                place.node.clear()
                place.node[""] = own
        for path, name in self._record.whiteouts:
            place = self._tree.find(path, follow=True)
            if place and isinstance(place.node, dict):
                place.node.pop(name, None)

    def _place(self) -> None:
        record, paths = self._record, list(self._record.folders)
        for index, number in enumerate(record.parents):
            home = self._homes.get(number)
            if home is None:
                home = self._homes[number] = self._home(paths[number])
            name = record.name(index)
            if name:
                self._put(home, name, self._start + index, paths[number])
            else:
                self._tree.root[""] = self._start + index
            if index in record.values:
                path = f"{paths[number]}/{name}" if paths[number] else name
                self._tree.values[self._start + index] = (f"/{path}", record.values[index])

    def _put(self, home: Folder, name: str, index: int, parent: str) -> None:
        kind = self._tree.kind(index)
        old = home.get(name)
        if old is not None:
            self._replace(old, kind, f"/{parent}/{name}" if parent else f"/{name}")
        if kind is not EntryKind.FOLDER:
            if kind is EntryKind.HARD_LINK:
                self._link(index, f"/{parent}/{name}" if parent else f"/{name}")
            home[name] = index
        elif isinstance(old, dict):
            old[""] = index
        else:
            home[name] = {"": index}

    def _replace(self, old: int | Folder, kind: EntryKind, path: str) -> None:
        own = own_index(old)
        both_folders = isinstance(old, dict) and kind is EntryKind.FOLDER
        if self._start <= own < self._end and not both_folders:
            self._record.odd(path, "is twice in the layer: the last one counts")
        if self._tree.kind(own) is EntryKind.SYMLINK and kind is EntryKind.FOLDER:
            self._record.odd(path, f"a folder takes the place of a symlink to {self._tree.targets.get(own, '')}")
        if not both_folders and (isinstance(old, dict) or self._tree.kind(own) is EntryKind.SYMLINK):
            # Folders were found through what is replaced now.
            self._homes.clear()

    def _link(self, index: int, path: str) -> None:
        target = self._tree.targets.get(index, "")
        place = self._tree.find(target, follow=False)
        if place is None or isinstance(place.node, dict):
            self._record.odd(path, f"a hard link to {target!r}, which is not a file there")
            return
        self._tree.links[index] = self._tree.links.get(place.node, place.node)

    def _home(self, path: str) -> Folder:
        """The folder of that path, through symlinks; made as far as it is missing, as runtimes do."""
        folder = self._tree.root
        parts = path.split("/") if path else []
        length = len(path)
        for at, part in enumerate(parts):
            node = folder.get(part)
            if isinstance(node, int) and self._tree.kind(node) is EntryKind.SYMLINK:
                place = self._tree.find("/".join(parts[: at + 1]), follow=True)
                node = place.node if place else None
                length += sum(map(len, place.names)) if place else 0
            if not isinstance(node, dict):
                if node is not None or part in folder:
                    self._record.odd(
                        f"/{'/'.join(parts[: at + 1])}", "is no folder, yet things are put into it: taken as one"
                    )
                    self._homes.clear()
                node = folder[part] = self._implicit()
            folder = node
        if length > MAX_REAL_PATH:
            raise Invalid(f"a path of more than {MAX_REAL_PATH} characters, its symlinks followed: {path[:80]!r}...")
        return folder

    def _implicit(self) -> Folder:
        self._tree.columns.append(IMPLICIT, EntryKind.FOLDER)
        self._tree.implied += 1
        if len(self._tree.columns) + self._tree.implied * (FOLDER_COUNTS - 1) > MAX_ENTRIES:
            raise Invalid(f"more than {MAX_ENTRIES} entries, folders counted thrice, which no image needs")
        return {"": len(self._tree.columns) - 1}
