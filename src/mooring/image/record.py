"""What one layer holds, in columns: a million small files must fit into memory, and no object each does."""

from __future__ import annotations

import threading
from array import array
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid
from mooring.image.entry import EntryKind, Oddity

if TYPE_CHECKING:
    from mooring.image.member import Member

KINDS = tuple(EntryKind)
KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
KIND_SHIFT = 12
CAPABILITIES = 1 << 16
HIGHEST_ID = 0xFFFF_FFFF
# The largest images seen have some 600,000 entries, a tenth of them folders, which count thrice: that is what they take
# in memory beside a file's 200 bytes. Beyond this it is an attack, and memory must end somewhere.
MAX_ENTRIES = 2_000_000
FOLDER_COUNTS = 3
MAX_NAME_BYTES = 128 << 20
# How far a layer may get before it is counted with the others.
COUNTED_AT_ONCE = 1000
# Linux takes no longer name, and none that is deeper has been seen to 60.
MAX_PART_BYTES = 255
MAX_DEPTH = 512
MAX_ODDITIES = 1000
MAX_ODDITY_CHARACTERS = 300


class Bounds:
    """How many entries and bytes of names an image's layers may have, all together; used by several threads."""

    def __init__(self) -> None:
        self._entries = 0
        self._name_bytes = 0
        self._lock = threading.Lock()

    def count(self, entries: int, name_bytes: int = 0) -> None:
        """So many more. Invalid when it is more than any image needs."""
        with self._lock:
            self._entries += entries
            self._name_bytes += name_bytes
        if self._entries > MAX_ENTRIES:
            raise Invalid(f"more than {MAX_ENTRIES} entries, folders counted thrice, which no image needs")
        if self._name_bytes > MAX_NAME_BYTES:
            raise Invalid(f"names of more than {MAX_NAME_BYTES >> 20} MiB in all, which no image needs")


class Columns:
    """The numbers of entries, one place an entry: what has most of an image's memory."""

    def __init__(self) -> None:
        self.modes = array("I")
        self.sizes = array("Q")
        self.uids = array("I")
        self.gids = array("I")

    def __len__(self) -> int:
        return len(self.modes)

    def append(self, member: Member, kind: EntryKind) -> None:
        """Add one at the end."""
        mode = (member.mode & 0o7777) | KIND_NUMBERS[kind] << KIND_SHIFT
        self.modes.append(mode | CAPABILITIES if member.capabilities else mode)
        self.sizes.append(member.size)
        self.uids.append(member.uid)
        self.gids.append(member.gid)

    def extend(self, other: Columns) -> None:
        """Add all of another's."""
        self.modes.extend(other.modes)
        self.sizes.extend(other.sizes)
        self.uids.extend(other.uids)
        self.gids.extend(other.gids)

    def kind(self, index: int) -> EntryKind:
        """What the entry at that place is."""
        return KINDS[self.modes[index] >> KIND_SHIFT & 0xF]


class LayerRecord:
    """One layer as read. Paths are normal and without a leading slash: a folder's number, and a name in it."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._entries = 0
        self._counted = (0, 0)
        self.columns = Columns()
        self.folders: dict[str, int] = {}
        self.parents = array("I")
        self._names = bytearray()
        self._ends = array("Q")
        self.stored_sizes: dict[int, int] = {}
        self.targets: dict[int, str] = {}
        self.texts: dict[int, bytes] = {}
        self.values: dict[int, Any] = {}
        self.whiteouts: list[tuple[str, str]] = []
        self.opaque: list[str] = []
        self.oddities: list[tuple[str, str]] = []
        self.unlisted_oddities = 0
        self.unpacked = 0
        self._name_bytes = 0

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def name_bytes(self) -> int:
        """What the names take, all together."""
        return len(self._names) + self._name_bytes

    def add(self, path: str, member: Member, kind: EntryKind) -> int:
        """Record an entry; its place in the columns."""
        index = len(self.columns)
        parent, _, name = path.rpartition("/")
        number = self.folders.get(parent)
        if number is None:
            number = self._folder(parent)
        self.parents.append(number)
        self._names += encoded_part(name)
        self._ends.append(len(self._names))
        self.columns.append(member, kind)
        if member.target:
            self.targets[index] = member.target
            self._name_bytes += len(member.target)
        if kind is EntryKind.FILE:
            self.unpacked += member.size
            if member.stored_size != member.size:
                self.stored_sizes[index] = member.stored_size
        self._entries += FOLDER_COUNTS if kind is EntryKind.FOLDER else 1
        self._count()
        return index

    def _folder(self, path: str) -> int:
        """The number of a folder that is new here."""
        parts = path.split("/")
        if len(parts) > MAX_DEPTH:
            raise Invalid(f"a path of {len(parts)} folders, where {MAX_DEPTH} are plenty: {path[:80]!r}...")
        for part in parts:
            encoded_part(part)
        number = self.folders[path] = len(self.folders)
        self._entries += FOLDER_COUNTS
        self._name_bytes += len(path)
        return number

    def hide(self, folder: str, name: str) -> None:
        """Record that this layer deletes what older ones have at that place; all in the folder without a name."""
        if name:
            self.whiteouts.append((folder, name))
        else:
            self.opaque.append(folder)
        self._name_bytes += len(folder) + len(name)
        self._entries += 1
        self._count()

    def _count(self) -> None:
        entries, names = self._counted
        if self._entries - entries >= COUNTED_AT_ONCE or self.name_bytes - names >= COUNTED_AT_ONCE * MAX_PART_BYTES:
            self._counted = self._entries, self.name_bytes
            self._bounds.count(self._entries - entries, self.name_bytes - names)

    def name(self, index: int) -> str:
        """The last part of an entry's path."""
        start = self._ends[index - 1] if index else 0
        return self._names[start : self._ends[index]].decode("utf-8", "surrogateescape")

    def odd(self, path: str, what: str) -> None:
        """Record an oddity; beyond a thousand they are only counted."""
        if len(self.oddities) < MAX_ODDITIES:
            self.oddities.append((path, what[:MAX_ODDITY_CHARACTERS]))
        else:
            self.unlisted_oddities += 1

    def oddities_of(self, layer: int) -> list[Oddity]:
        """The oddities, as those of that layer."""
        found = [Oddity(layer=layer, path=path, what=what) for path, what in self.oddities]
        if self.unlisted_oddities:
            found.append(Oddity(layer=layer, path="/", what=f"{self.unlisted_oddities} more oddities are not listed"))
        return found


def encoded_part(name: str) -> bytes:
    """A file's name in bytes; Invalid when it is longer than Linux takes one."""
    data = name.encode("utf-8", "surrogateescape")
    if len(data) > MAX_PART_BYTES:
        raise Invalid(f"a name of {len(data)} bytes, where Linux takes {MAX_PART_BYTES}: {name[:80]!r}...")
    return data
