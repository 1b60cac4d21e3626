"""An image in an OCI layout: a folder with index.json, and blobs by their digests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mooring.contract.regular_file import read_regular, require_regular
from mooring.errors import Invalid, NotFound
from mooring.image.feed import CHUNK_BYTES
from mooring.image.manifest import LARGEST_MANIFEST
from mooring.image.opening import opened
from mooring.image.stored import StoredImage
from mooring.image.unpacking import MAGIC_BYTES

if TYPE_CHECKING:
    import os
    from collections.abc import Generator


def layout_image(path: str | os.PathLike[str], name: str = "") -> StoredImage:
    """The image in an OCI layout folder; `name` is one of those that its index annotates, where there are several.

    Raises:
        Invalid: it is no layout, it holds several images, or its documents are damaged.
        NotFound: no such folder, or no image of that name.
    """
    folder = Path(path)
    if not folder.exists():
        raise NotFound(f"{folder} does not exist")
    if not folder.is_dir():
        raise Invalid(f"{folder} is no folder", hint="an archive is given as it is")
    store = FolderStore(folder)
    return StoredImage(str(folder), "layout", store, opened(store, str(folder), name))


class FolderStore:
    """Files below a folder; nothing outside it is opened, whatever a name or a symlink says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def _file(self, name: str) -> Path:
        """Where the file lies. Invalid when that is outside, or no file."""
        place = (self._folder / name.lstrip("/")).resolve()
        if not place.is_relative_to(self._folder):
            raise Invalid(f"{self._folder}: {name} lies outside of it, at {place}")
        require_regular(place)
        return place

    def size(self, name: str) -> int | None:
        """Bytes of that file; None when there is none."""
        try:
            return self._file(name).stat().st_size
        except FileNotFoundError:
            return None
        except (OSError, RuntimeError) as error:
            raise Invalid(f"{self._folder}: {name} cannot be read: {error}") from error

    def start(self, name: str) -> bytes:
        """Its first bytes."""
        return read_regular(self._file(name), at_most=MAGIC_BYTES)

    def document(self, name: str) -> bytes:
        """All of a small file."""
        return read_regular(self._file(name), at_most=LARGEST_MANIFEST)

    def chunks(self, name: str) -> Generator[bytes, None, None]:
        """The bytes of a file."""
        with self._file(name).open("rb", buffering=0) as opened_file:
            while chunk := opened_file.read(CHUNK_BYTES):
                yield chunk
