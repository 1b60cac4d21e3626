"""An image on its way into an engine: written as `docker save` would, layer by layer, under a name of the caller's."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mooring.errors import Invalid
from mooring.image.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

CONFIG = "config.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file of the archive: a layer as stored, of `size` bytes."""

    name: str
    size: int
    chunks: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, kw_only=True)
class Handed:
    """What an engine needs of an image: its configuration as it is, its layers, and the names of those in order."""

    config: bytes
    layers: tuple[str, ...]
    parts: Iterable[Part]


class Movable(Image, Protocol):
    """An image outside of any engine."""

    def handed(self) -> AbstractContextManager[Handed]:
        """What an engine needs of it, while the context lasts; its parts are read once, in their order."""


def docker_archive(handed: Handed, name: str) -> Iterator[bytes]:
    """The archive, in chunks, to be loaded as `name`; names that the image had elsewhere are left out.

    Invalid when a layer ends before its size: the archive is broken off then, and no engine takes such a one.
    """
    yield from _file(CONFIG, handed.config)
    for part in handed.parts:
        yield _header(part.name, part.size)
        written = 0
        for chunk in part.chunks():
            written += len(chunk)
            yield chunk
        if written != part.size:
            raise Invalid(f"{part.name} has {written} bytes, where {part.size} were announced")
        yield bytes(-part.size % tarfile.BLOCKSIZE)
    manifest = [{"Config": CONFIG, "RepoTags": [name], "Layers": list(handed.layers)}]
    yield from _file(MANIFEST, json.dumps(manifest).encode())
    yield bytes(2 * tarfile.BLOCKSIZE)


def _file(name: str, data: bytes) -> Iterator[bytes]:
    yield _header(name, len(data))
    yield data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry.tobuf()
