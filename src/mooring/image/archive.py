"""An image in an archive: what `docker save` and `podman save` write, and OCI layouts as a tar; plain or packed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mooring.contract.regular_file import read_regular
from mooring.errors import Invalid, NotFound
from mooring.image.feed import CHUNK_BYTES, SeekingFeed
from mooring.image.listing import Listing
from mooring.image.manifest import LARGEST_MANIFEST
from mooring.image.opening import opened
from mooring.image.packed_archive import PackedArchive
from mooring.image.stored import StoredImage
from mooring.image.tar import TarReader
from mooring.image.tar_header import BLOCK, is_header
from mooring.image.unpacking import MAGIC_BYTES, packing_of

if TYPE_CHECKING:
    import io
    import os
    from collections.abc import Generator

    from mooring.image.handing import Movable


def archive_image(path: str | os.PathLike[str], name: str = "") -> Movable:
    """The image in an archive; `name` (`mnist:1`) chooses among several.

    A packed archive can only be read from its beginning to its end: what is asked before `read` costs a pass of its
    own, and what is wrong with the archive may show only then.

    Raises:
        Invalid: it is no file, holds no image or several, or is damaged.
        NotFound: no such file, or no image of that name in it.
    """
    file = Path(path)
    try:
        start = read_regular(file, at_most=MAGIC_BYTES, hint="an OCI layout is a folder with index.json")
    except FileNotFoundError:
        raise NotFound(f"{file} does not exist") from None
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}") from error
    try:
        packing = packing_of(start)
    except Invalid as error:
        raise Invalid(f"{file}: {error.message}") from None
    if packing:
        return PackedArchive(file, name)
    store = ArchiveStore(file)
    return StoredImage(str(file), "archive", store, opened(store, str(file), name))


class _Lies(NamedTuple):
    at: int
    size: int


class ArchiveStore:
    """The files of a plain tar archive, found by their headers and read at their places."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: Listing[_Lies] = Listing()
        with path.open("rb", buffering=0) as file:
            start = file.read(BLOCK)
            if start.strip(b"\0") and not is_header(start):
                raise Invalid(
                    f"{path}: this is no tar archive (nor gzip, nor zstd)",
                    hint="expected is what `docker save` or `podman save` writes",
                )
            file.seek(0)
            self._index(file)

    def _index(self, file: io.FileIO) -> None:
        feed = SeekingFeed(file)
        reader = TarReader(feed)
        try:
            for member in reader.members():
                self._files.add(member, _Lies(feed.position, member.size))
        except Invalid as error:
            raise Invalid(f"{self._path}: {reader.where}: {error.message}", hint=error.hint) from error

    def size(self, name: str) -> int | None:
        """Bytes of that file; None when there is none."""
        found = self._files.find(name)
        return found.size if found else None

    def start(self, name: str) -> bytes:
        """Its first bytes."""
        return self._read(name, MAGIC_BYTES)

    def document(self, name: str) -> bytes:
        """All of a small file."""
        return self._read(name, LARGEST_MANIFEST)

    def _read(self, name: str, at_most: int) -> bytes:
        found = self._files.find(name)
        if found is None:
            return b""
        with self._path.open("rb") as file:
            file.seek(found.at)
            return file.read(min(at_most, found.size))

    def chunks(self, name: str) -> Generator[bytes, None, None]:
        """The bytes of a file."""
        found = self._files.find(name) or _Lies(0, 0)
        left = found.size
        with self._path.open("rb", buffering=0) as file:
            file.seek(found.at)
            while left and (chunk := file.read(min(CHUNK_BYTES, left))):
                left -= len(chunk)
                yield chunk
