"""One pass over an archive that cannot be read twice: every blob that looks like a layer is read as it comes by.

Only what the manifest names is an image's layer, and the manifest may come last. What turns out to be none is
forgotten, also that it was damaged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.ahead import Ahead
from mooring.image.entry import EntryKind
from mooring.image.feed import CHUNK_BYTES, Content, Feed
from mooring.image.listing import Listing
from mooring.image.manifest import LARGEST_MANIFEST
from mooring.image.merging import Merging
from mooring.image.opening import opened
from mooring.image.reading import Pass, Walked, damage, named
from mooring.image.tar import TarReader
from mooring.image.tar_header import BLOCK, ZERO_BLOCK, header
from mooring.image.unpacking import MAGIC_BYTES, packing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from mooring.image.filesystem import Filesystem
    from mooring.image.member import Member
    from mooring.image.store import Opened

MAX_DOCUMENTS_BYTES = 64 << 20


@dataclass
class _Blob:
    """What is kept of one file: all of it only of JSON, and of what looked like a layer what was in it."""

    size: int
    start: bytes
    document: bytes = b""
    layer: Walked | Invalid | None = None


class Sweep:
    """What came by; a store of documents afterwards. Without a `whole` pass, layers are passed over."""

    def __init__(self, what: str, whole: Pass | None = None) -> None:
        self._what = what
        self._whole = whole
        self._files: Listing[_Blob] = Listing()
        self._documents_bytes = 0
        self._layers = 0

    def run(self, archive: Generator[bytes, None, None], *, interrupt: Callable[[], object] | None = None) -> None:
        """Read the archive to its end; `interrupt` wakes it where it waits. Invalid, saying where, if it is damaged."""
        with Ahead(archive, interrupt=interrupt) as chunks:
            feed = Feed(chunks)
            reader = TarReader(feed)
            try:
                for member in reader.members():
                    self._take(member, feed)
                while feed.some(CHUNK_BYTES):
                    pass
            except Invalid as error:
                raise Invalid(f"{self._what}: {reader.where}: {error.message}", hint=error.hint) from error

    def _take(self, member: Member, feed: Feed) -> None:
        start = feed.peek(min(BLOCK, member.stored_size))
        blob = _Blob(size=member.size, start=start[:MAGIC_BYTES])
        self._files.add(member, blob)
        if member.kind is not EntryKind.FILE or member.size != member.stored_size:
            return
        if _is_layer(start) or not member.size:
            blob.layer = self._layer(Content(feed, member.size))
        elif start[:1] in {b"{", b"["} and member.size <= LARGEST_MANIFEST:
            self._documents_bytes += member.size
            if self._documents_bytes > MAX_DOCUMENTS_BYTES:
                raise Invalid(f"more than {MAX_DOCUMENTS_BYTES >> 20} MiB of JSON, where an image has kilobytes")
            blob.document = feed.take(member.size)

    def _layer(self, content: Content) -> Walked | Invalid | None:
        if self._whole is None:
            return None
        self._layers += 1
        stored: Iterator[bytes] = iter(lambda: content.read1(CHUNK_BYTES), b"")
        try:
            return self._whole.walk(self._layers - 1, stored)
        except Invalid as error:
            return error

    def size(self, name: str) -> int | None:
        """Bytes of that file; None when there was none."""
        blob = self._files.find(name)
        return blob.size if blob else None

    def start(self, name: str) -> bytes:
        """Its first bytes."""
        blob = self._files.find(name)
        return blob.start if blob else b""

    def document(self, name: str) -> bytes:
        """All of a small file; nothing of what is no JSON."""
        blob = self._files.find(name)
        return blob.document if blob else b""

    def opened(self, name: str) -> Opened:
        """The image of that name, or the only one; its files by their own names, links followed."""
        found = opened(self, self._what, name)
        return replace(found, files=tuple(self._files.real(file) for file in found.files))

    def filesystem(self, found: Opened) -> Filesystem:
        """The layers of the image merged. Invalid, naming the layer, when one of them was damaged."""
        merging = Merging(found.layers)
        for number, file in enumerate(found.files):
            with named(number, found.layers):
                blob = self._files.find(file)
                walked = _walked(blob.layer if blob else None, found.layers[number].digest)
            merging.add(number, walked.record, walked.stored)
        return merging.filesystem()


def _walked(layer: Walked | Invalid | None, digest: str) -> Walked:
    if layer is None:
        raise Invalid("it is no archive")
    if isinstance(layer, Invalid):
        raise layer
    if digest not in {"", layer.digest}:
        raise damage(layer.digest, digest)
    return layer


def _is_layer(start: bytes) -> bool:
    """Whether a blob begins as a layer does: packed, or with the header of an archive, or empty."""
    try:
        if packing_of(start):
            return True
        if len(start) == BLOCK and start != ZERO_BLOCK:
            header(start)
    except Invalid:
        return False
    return len(start) == BLOCK
