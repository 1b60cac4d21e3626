"""What a layer says of one path, before it is known what the path means in the image."""

from __future__ import annotations

from dataclasses import dataclass

from mooring.image.entry import EntryKind


@dataclass(slots=True)
class Member:
    """One entry of an archive: `name` as written, `size` as a reader counts, `stored_size` what lies in the archive.

    Not frozen, and no place for defaults that cost: an image has a million of them. `kind` is None for what has no
    place in a file tree; `what` then says it.
    """

    name: str
    kind: EntryKind | None = EntryKind.FILE
    size: int = 0
    stored_size: int = 0
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    target: str = ""
    capabilities: bool = False
    what: str = ""
