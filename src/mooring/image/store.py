"""An image as files in an archive or a folder, and what its documents say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mooring.errors import Invalid
from mooring.image.manifest import LARGEST_MANIFEST

if TYPE_CHECKING:
    from mooring.image.image import ImageConfig, Layer


class Store(Protocol):
    """Files by name, as they lie in an archive or a folder; a name is relative and normal."""

    def size(self, name: str) -> int | None:
        """Bytes of that file; None when there is none."""

    def start(self, name: str) -> bytes:
        """Its first bytes, enough to tell how it is packed."""

    def document(self, name: str) -> bytes:
        """All of a small file, which is there."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An image as its documents describe it; `files` are the names of its layers in the store.

    `settings` is the image configuration as it lies there, byte for byte: its digest is the image's id.
    """

    digest: str
    media_type: str
    platforms: tuple[str, ...]
    config: ImageConfig
    settings: bytes
    layers: tuple[Layer, ...]
    files: tuple[str, ...]
    diff_ids: tuple[str, ...] = ()

    @property
    def compressed_size(self) -> int:
        """Bytes of all layers as stored; 0 when they are all stored unpacked."""
        packed = any(not layer.media_type.endswith(".tar") for layer in self.layers)
        return sum(layer.size for layer in self.layers) if packed else 0


def document_in(store: Store, name: str, what: str) -> bytes:
    """All of a small file. Invalid when it is missing, or larger than any such file is."""
    size = store.size(name)
    # A name from a manifest may be anything, and a terminal obeys more than letters.
    shown = name if name.isprintable() else repr(name)
    if size is None:
        raise Invalid(f"{what}: {shown} is missing", hint="the archive or folder is not complete")
    if size > LARGEST_MANIFEST:
        raise Invalid(f"{what}: {shown} has {size} bytes, where {LARGEST_MANIFEST} are plenty")
    return store.document(name)
