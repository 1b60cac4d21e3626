"""An image whose layers can be read each by itself, from an archive or a folder on this machine."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

from mooring.image.handing import Handed, Part
from mooring.image.reading import StoredLayer, read_layers
from mooring.image.store import Opened, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import Inspector, Progress


class SeekableStore(Store, Protocol):
    """A store whose files are read from their start at any time, and several at once."""

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of a file that is there."""


class StoredImage:
    """One image of a store; its documents were read, its layers were not."""

    def __init__(self, name: str, kind: str, store: SeekableStore, found: Opened) -> None:
        self.name = name
        self.kind = kind
        self._store = store
        self._found = found
        self.digest = found.digest
        self.media_type = found.media_type
        self.platforms = found.platforms
        self.config = found.config
        self.layers = found.layers
        self.compressed_size = found.compressed_size

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers in one pass, several at a time.

        Invalid, naming the layer and what is wrong with it, when it is damaged or made to exhaust the reader.
        """
        return read_layers([self._stored(number) for number in range(len(self.layers))], inspect, progress=progress)

    @contextlib.contextmanager
    def handed(self) -> Iterator[Handed]:
        """The image for an engine, layers as stored."""
        files = self._found.files

        def part(number: int) -> Part:
            return Part(
                name=f"{number}.layer",
                size=self.layers[number].size,
                chunks=lambda: self._store.chunks(files[number]),
            )

        parts = [part(number) for number in range(len(files))]
        yield Handed(config=self._found.settings, layers=tuple(one.name for one in parts), parts=parts)

    def _stored(self, number: int) -> StoredLayer:
        layer, file, ids = self.layers[number], self._found.files[number], self._found.diff_ids
        return StoredLayer(
            layer=layer,
            chunks=lambda: self._store.chunks(file),
            size=layer.size,
            diff_id=ids[number] if number < len(ids) else "",
        )
