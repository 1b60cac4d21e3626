"""Tar archives read forwards, whoever made them: each entry's path, kind and size, and then its bytes.

The standard library's tarfile is not for hostile archives: it reads a header of any claimed size into memory, calls
itself for every long-name header in a chain, keeps every entry it has seen, and expands sparse files. Nothing here
grows with what a header claims, and what a sparse file leaves out is never made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.entry import EntryKind
from mooring.image.member import Member
from mooring.image.record import MAX_ENTRIES
from mooring.image.tar_extra import CAPABILITY, Extra, decoded
from mooring.image.tar_header import BLOCK, ZERO_BLOCK, Header, clamped_id, header, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image.feed import Feed

# Linux takes no longer path; Go's reader, which container runtimes use, takes no longer header.
MAX_PATH_BYTES = 4096
MAX_HEADER_BYTES = 1 << 20
# A long name, a long link and PAX records stand before an entry; more than a few such headers are a trap.
MAX_EXTRA_HEADERS = 16
MAX_SPARSE_BLOCKS = 8192
MAX_COUNT_DIGITS = 9
EXTRA_HEADERS = frozenset((b"x", b"g", b"X", b"L", b"K"))
KINDS = {
    b"0": EntryKind.FILE,
    b"\0": EntryKind.FILE,
    b"7": EntryKind.FILE,
    b"S": EntryKind.FILE,
    b"1": EntryKind.HARD_LINK,
    b"2": EntryKind.SYMLINK,
    b"3": EntryKind.DEVICE,
    b"4": EntryKind.DEVICE,
    b"5": EntryKind.FOLDER,
    b"6": EntryKind.PIPE,
}


class TarReader:
    """The members of an archive, once. After each, its `stored_size` bytes come next in the feed, to be read or not."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._entries = 0
        self._name = ""

    @property
    def where(self) -> str:
        """Where in the archive the reading is, in words."""
        return f"entry {self._entries} ({self._name[:200]!r})" if self._name else f"after entry {self._entries}"

    def members(self) -> Iterator[Member]:
        """Every entry, up to the end of the archive; what follows that is left in the feed.

        Raises:
            Invalid: this is no archive, it ends early, or it claims what no archive needs.
        """
        feed = self._feed
        while (found := self._next()) is not None:
            member, padding = found
            self._name = member.name
            self._entries += 1
            if self._entries > MAX_ENTRIES:
                raise Invalid(f"more than {MAX_ENTRIES} entries, which no image needs")
            end = feed.position + member.stored_size
            yield member
            left = end - feed.position
            if feed.skip(left) < left:
                raise Invalid("the archive ends in the midst of it")
            feed.skip(padding)
            self._name = ""

    def _next(self) -> tuple[Member, int] | None:
        """The next member and the bytes after its content; None at the end."""
        extra: Extra | None = None
        for _ in range(MAX_EXTRA_HEADERS):
            block = self._feed.take(BLOCK)
            if len(block) < BLOCK or block == ZERO_BLOCK:
                if extra or (block and block != ZERO_BLOCK):
                    raise Invalid("the archive ends in the midst of a header")
                return None
            found = header(block)
            if found.kind not in EXTRA_HEADERS:
                return self._member(found, block, extra)
            extra = extra or Extra()
            odd = extra.take(found.kind, self._body(found.size))
            if odd:
                return Member(name="", kind=None, what=odd), 0
        raise Invalid(f"more than {MAX_EXTRA_HEADERS} headers for one entry")

    def _body(self, size: int) -> bytes:
        """What an extra header holds."""
        if size > MAX_HEADER_BYTES:
            raise Invalid(f"a header of {size} bytes, where {MAX_HEADER_BYTES} is plenty")
        data = self._feed.take(size)
        if len(data) < size:
            raise Invalid("the archive ends in the midst of a header")
        self._feed.skip(-size % BLOCK)
        return data

    def _member(self, found: Header, block: bytes, extra: Extra | None) -> tuple[Member, int]:
        kind = KINDS.get(found.kind)
        name, size = decoded(found.name), found.size
        if extra:
            name = extra.name or extra.records.get("path", name)
            pax_size = extra.number("size")
            size = size if pax_size is None else pax_size
        if kind is EntryKind.FILE and found.kind == b"\0" and name.endswith("/"):
            kind = EntryKind.FOLDER
        # What is no file has no content, whatever its header claims: runtimes and tar read it so.
        stored = size if kind is EntryKind.FILE or kind is None else 0
        member = Member(name, kind, stored, stored, found.mode, found.uid, found.gid)
        if found.kind in b"12":
            member.target = decoded(found.target)
        if kind is None:
            member.what = f"an entry of the unknown type {found.kind!r}"
        if extra:
            _amend(member, extra)
        if kind is EntryKind.FILE and (found.kind == b"S" or extra):
            self._sparse(member, found, block, extra or Extra())
        _require_short(member.name, member.target)
        return member, -stored % BLOCK

    def _sparse(self, member: Member, found: Header, block: bytes, extra: Extra) -> None:
        """The real size of a sparse file, and its stored bytes without the map of them."""
        version = (extra.records.get("GNU.sparse.major"), extra.records.get("GNU.sparse.minor"))
        if found.kind == b"S":
            member.size = size_of(block[483:495], "real size")
            more = bool(block[482])
            for _ in range(MAX_SPARSE_BLOCKS):
                if not more:
                    break
                more = bool(self._block()[504])
            else:
                raise Invalid("a map of a sparse file without end")
        elif version == ("1", "0"):
            member.size = extra.number("GNU.sparse.realsize") or 0
            member.stored_size -= self._sparse_map(member.stored_size)
        elif "GNU.sparse.size" in extra.records:
            member.size = extra.number("GNU.sparse.size") or 0
        else:
            return
        if member.stored_size > member.size:
            raise Invalid(f"a sparse file of {member.size} bytes, of which {member.stored_size} are stored")

    def _sparse_map(self, at_most: int) -> int:
        """Read the map before a sparse file's content: a count, and as many pairs, a line each; the bytes it took."""
        taken, lines, wanted = 0, 0, 0
        while not wanted or lines < wanted:
            taken += BLOCK
            if taken > min(at_most, MAX_SPARSE_BLOCKS * BLOCK):
                raise Invalid("a map of a sparse file that is longer than the file")
            block = self._block()
            if not wanted:
                count = block.split(b"\n", 1)[0]
                if not count.isdigit() or len(count) > MAX_COUNT_DIGITS:
                    raise Invalid("a map of a sparse file without a count")
                wanted = 1 + 2 * int(count)
            lines += block.count(b"\n")
        return taken

    def _block(self) -> bytes:
        block = self._feed.take(BLOCK)
        if len(block) < BLOCK:
            raise Invalid("the archive ends in the midst of a header")
        return block


def _amend(member: Member, extra: Extra) -> None:
    """What PAX records and a long link say otherwise."""
    if member.target or member.kind in {EntryKind.SYMLINK, EntryKind.HARD_LINK}:
        member.target = extra.target or extra.records.get("linkpath", member.target)
    uid, gid = extra.identity("uid"), extra.identity("gid")
    member.uid = member.uid if uid is None else clamped_id(uid)
    member.gid = member.gid if gid is None else clamped_id(gid)
    member.capabilities = CAPABILITY in extra.records
    # The name that a writer gives a sparse file for readers that know nothing of them is not its own.
    member.name = extra.records.get("GNU.sparse.name", member.name)


def _require_short(name: str, target: str) -> None:
    for text in (name, target):
        if len(text) > MAX_PATH_BYTES:
            raise Invalid(f"a path of {len(text)} characters, where {MAX_PATH_BYTES} is the most: {text[:80]!r}...")
