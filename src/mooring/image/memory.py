"""An image that is made of a few Python values: for tests, and for the examples of rules."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mooring.image.entry import EntryKind
from mooring.image.feed import Feed
from mooring.image.image import ImageConfig, Layer, Progress
from mooring.image.keeping import Allowance
from mooring.image.member import Member
from mooring.image.merging import Merging
from mooring.image.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import Inspector

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class File:
    """One path of a layer; `size` lets it claim more bytes than `content` has. Folders need not be given."""

    content: bytes = b""
    mode: int = 0o644
    kind: EntryKind = EntryKind.FILE
    target: str = ""
    uid: int = 0
    gid: int = 0
    size: int | None = None


Given: TypeAlias = "File | bytes | str"


class MemoryImage:
    """An image in memory. `layers` are the oldest first, `files` one more on top; each is files by their path.

    Names such as `.wh.model` delete what is below, as in any layer. `compressed_size` is what a registry would
    store: the size of all contents, unless it is given.
    """

    kind = "memory"

    def __init__(  # noqa: PLR0913 -- an example of a rule says everything about its image in one expression
        self,
        *,
        files: Mapping[str, Given] | None = None,
        layers: Sequence[Mapping[str, Given]] = (),
        config: ImageConfig | None = None,
        name: str = "memory",
        compressed_size: int | None = None,
        media_type: str = MANIFEST,
        platforms: Sequence[str] = (),
    ) -> None:
        top = [files] if files or not layers else []
        self._contents = [
            {path: _file(given) for path, given in layer.items()} for layer in (*layers, *top) if layer is not None
        ] or [{}]
        self.name = name
        self.config = config or ImageConfig()
        self.media_type = media_type
        self.platforms = tuple(platforms)
        self.layers = tuple(self._layer(number) for number in range(len(self._contents)))
        self.compressed_size = sum(layer.size for layer in self.layers) if compressed_size is None else compressed_size

    @property
    def digest(self) -> str:
        """A digest of its configuration and layers."""
        return _digest(self.config, self.layers)

    def _layer(self, number: int) -> Layer:
        content = self._contents[number]
        steps = self.config.history
        return Layer(
            digest=_digest(sorted(content.items())),
            size=sum(len(file.content) for file in content.values()),
            media_type="application/vnd.oci.image.layer.v1.tar",
            created_by=steps[number] if len(steps) == len(self._contents) else "",
        )

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers merged into one tree, as any other image's."""
        merging, allowance = Merging(self.layers), Allowance()
        total = sum(layer.size for layer in self.layers)
        done = 0
        for number, content in enumerate(self._contents):
            walk = Walk(number, inspect, allowance)
            for path, file in content.items():
                walk.visit(_member(path, file), Feed(iter((file.content,))))
            done += self.layers[number].size
            merging.add(number, walk.record, self.layers[number].size)
            if progress:
                progress(Progress(done=done, total=total))
        return merging.filesystem()


def _file(given: Given) -> File:
    if isinstance(given, File):
        return given
    return File(content=given.encode("utf-8", "surrogateescape") if isinstance(given, str) else given)


def _member(path: str, file: File) -> Member:
    is_file = file.kind is EntryKind.FILE
    stored = len(file.content) if is_file else 0
    return Member(
        name=path,
        kind=file.kind,
        size=(stored if file.size is None else file.size) if is_file else 0,
        stored_size=stored,
        mode=file.mode,
        uid=file.uid,
        gid=file.gid,
        target=file.target,
    )


def _digest(*parts: object) -> str:
    return f"sha256:{hashlib.sha256(repr(parts).encode()).hexdigest()}"
