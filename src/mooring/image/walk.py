"""One layer, entry by entry: names made normal, whiteouts told from files, contents shown to the inspector."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, cast

from mooring.image.entry import Entry, EntryKind
from mooring.image.feed import Content
from mooring.image.keeping import MAX_KEPT_BYTES, TEXT_SAMPLE_BYTES, Allowance, may_be_kept
from mooring.image.record import LayerRecord

if TYPE_CHECKING:
    from mooring.image.feed import Feed
    from mooring.image.image import Inspector
    from mooring.image.member import Member

WHITEOUT = ".wh."
META = ".wh..wh."
OPAQUE = ".wh..wh..opq"


class Walk:
    """Records the members of one layer as they come."""

    def __init__(self, layer: int, inspect: Inspector | None, allowance: Allowance) -> None:
        self.record = LayerRecord(allowance.bounds)
        self._layer = layer
        self._inspect = inspect
        self._allowance = allowance

    def visit(self, member: Member, feed: Feed) -> bool:
        """Record a member whose stored bytes come next in `feed`, and read past them; False if they end too early."""
        path = self._path(member)
        kind = member.kind
        if path is None or kind is None or self._is_whiteout(path):
            return feed.skip(member.stored_size) == member.stored_size
        index = self.record.add(path, member, kind)
        if kind is not EntryKind.FILE or not member.stored_size:
            return feed.skip(member.stored_size) == member.stored_size
        if member.stored_size > MAX_KEPT_BYTES:
            return self._large(index, path, member, feed)
        sample = min(member.stored_size, TEXT_SAMPLE_BYTES)
        if self._inspect is None and not may_be_kept(path, feed.peek(sample)):
            return feed.skip(member.stored_size) == member.stored_size
        return self._small(index, path, member, feed)

    def _large(self, index: int, path: str, member: Member, feed: Feed) -> bool:
        if self._inspect is None:
            return feed.skip(member.stored_size) == member.stored_size
        content = Content(feed, member.stored_size)
        value = self._inspect(self._entry(path, member), cast("BinaryIO", content))
        if value is not None:
            self.record.values[index] = value
        return content.finish()

    def _small(self, index: int, path: str, member: Member, feed: Feed) -> bool:
        data = feed.take(member.stored_size)
        if len(data) < member.stored_size:
            return False
        if may_be_kept(path, data[:TEXT_SAMPLE_BYTES]) and self._allowance.grants(path, data):
            self.record.texts[index] = data
        if self._inspect is not None:
            value = self._inspect(self._entry(path, member), io.BytesIO(data))
            if value is not None:
                self.record.values[index] = value
        return True

    def _entry(self, path: str, member: Member) -> Entry:
        return Entry(
            path=f"/{path}",
            size=member.size,
            stored_size=member.stored_size,
            mode=member.mode & 0o7777,
            uid=member.uid,
            gid=member.gid,
            layer=self._layer,
            capabilities=member.capabilities,
        )

    def _path(self, member: Member) -> str | None:
        """The normal path, without a leading slash; None for what cannot be put anywhere."""
        name = member.name
        path, climbs = normal(name)
        if member.kind is None:
            self.record.odd(f"/{path}", f"{member.what}: left out")
            return None
        if climbs:
            self.record.odd(f"/{path}", f"is written as {name!r}, which leads out of the image: taken as inside")
        if not path and member.kind is not EntryKind.FOLDER:
            self.record.odd("/", f"a {member.kind} without a name ({name!r}): left out")
            return None
        return path

    def _is_whiteout(self, path: str) -> bool:
        if WHITEOUT not in path:
            return False
        folder, _, name = path.rpartition("/")
        if f"/{META}" in f"/{folder}":
            # What AUFS kept there for itself.
            return True
        if not name.startswith(WHITEOUT):
            return False
        if name == OPAQUE:
            self.record.hide(folder, "")
        elif not name.startswith(META):
            hidden = name.removeprefix(WHITEOUT)
            if hidden in {"", ".", ".."}:
                self.record.odd(f"/{path}", "deletes nothing that has a name: left out")
            else:
                self.record.hide(folder, hidden)
        return True


def normal(name: str) -> tuple[str, bool]:
    """A path without slashes at its ends, empty parts and dots; and whether its `..` would lead out of the root."""
    path = name.strip("/").removeprefix("./")
    if "//" not in path and "/." not in path and not path.startswith("."):
        return path, False
    parts: list[str] = []
    climbs = False
    for part in path.split("/"):
        if part == "..":
            climbs = climbs or not parts
            if parts:
                parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts), climbs
