"""An archive that is packed as a whole, and can only be read from its beginning to its end."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.entry import EntryKind
from mooring.image.feed import CHUNK_BYTES, Content, Feed
from mooring.image.handing import Handed, Part
from mooring.image.reading import Pass
from mooring.image.sweep import Sweep
from mooring.image.tar import TarReader
from mooring.image.unpacking import unpacked
from mooring.image.walk import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import ImageConfig, Inspector, Layer, Progress
    from mooring.image.store import Opened


class PackedArchive:
    """The image in it; what is asked before it was read makes a pass of its own over the archive."""

    kind = "archive"

    def __init__(self, path: Path, name: str) -> None:
        self.name = str(path)
        self._path = path
        self._wanted = name
        self._found: Opened | None = None

    def _known(self) -> Opened:
        if self._found is None:
            sweep = Sweep(self.name)
            sweep.run(self._archive(Pass(None)))
            self._found = sweep.opened(self._wanted)
        return self._found

    @property
    def digest(self) -> str:
        """The digest of its manifest, of its configuration where it has no manifest."""
        return self._known().digest

    @property
    def media_type(self) -> str:
        """The media type of what its name leads to."""
        return self._known().media_type

    @property
    def platforms(self) -> tuple[str, ...]:
        """What an index offers besides attestations."""
        return self._known().platforms

    @property
    def config(self) -> ImageConfig:
        """How its containers start."""
        return self._known().config

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers, the oldest first."""
        return self._known().layers

    @property
    def compressed_size(self) -> int:
        """Bytes of the layers where they are packed themselves, too; 0 where only the archive is."""
        return self._known().compressed_size

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers in one pass over the archive.

        Invalid, naming the layer and what is wrong with it, when it is damaged or made to exhaust the reader.
        """
        whole = Pass(inspect, progress, total=self._path.stat().st_size)
        sweep = Sweep(self.name, whole)
        sweep.run(self._archive(whole))
        self._found = sweep.opened(self._wanted)
        return sweep.filesystem(self._found)

    @contextlib.contextmanager
    def handed(self) -> Iterator[Handed]:
        """The image for an engine: its layers in the archive's order."""
        found = self._known()
        names = {file: f"{number}.layer" for number, file in enumerate(found.files)}
        with contextlib.closing(self._archive(Pass(None))) as chunks:
            layers = tuple(names[file] for file in found.files)
            yield Handed(config=found.settings, layers=layers, parts=_parts(chunks, names))

    def _archive(self, whole: Pass) -> Generator[bytes, None, None]:
        stored = 0

        def chunks() -> Generator[bytes, None, None]:
            nonlocal stored
            with self._path.open("rb", buffering=0) as file:
                while chunk := file.read(CHUNK_BYTES):
                    stored += len(chunk)
                    yield chunk

        try:
            yield from unpacked(whole.counted(chunks()), lambda: stored)
        except Invalid as error:
            raise Invalid(f"{self.name}: {error.message}", hint=error.hint) from error


def _parts(chunks: Iterator[bytes], names: Mapping[str, str]) -> Iterator[Part]:
    """The files that have a name there, as they come by."""
    feed = Feed(chunks)
    for member in TarReader(feed).members():
        name = names.get(normal(member.name)[0])
        if name and member.kind is EntryKind.FILE:
            content = Content(feed, member.size)
            yield Part(name=name, size=member.size, chunks=partial(iter, partial(content.read1, CHUNK_BYTES), b""))
