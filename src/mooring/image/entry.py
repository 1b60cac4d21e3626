"""What there is to say of one path of one layer, of a layer, and of a file that was looked into."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class EntryKind(enum.StrEnum):
    """What a path of an image is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"
    DEVICE = "device"
    PIPE = "pipe"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One path in one layer: `path` is absolute and normal (`/home/run.sh`), bytes that are no UTF-8 as surrogates.

    `size` is in bytes as a reader of the file would count, `stored_size` what of it lies in the layer (less only for
    sparse files). `target` is what a link points to, as written. `layer` counts from 0, the oldest. `mode` holds the
    permission bits with suid, sgid and sticky; `capabilities` tells that the file carries security.capability.
    """

    path: str
    kind: EntryKind = EntryKind.FILE
    size: int = 0
    stored_size: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    layer: int = 0
    capabilities: bool = False


@dataclass(frozen=True, kw_only=True)
class Note:
    """What the inspector said of one entry; `visible` tells whether no later layer hides or replaces the file."""

    entry: Entry
    value: Any
    visible: bool


@dataclass(frozen=True, kw_only=True)
class LayerSize:
    """One layer in the tree: bytes as stored, bytes unpacked, how many entries, and the step that made it."""

    digest: str
    stored: int
    unpacked: int
    entries: int
    created_by: str


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """Something in a layer that could be read in several ways, or was left out: a path with `..`, a duplicate."""

    layer: int
    path: str
    what: str
