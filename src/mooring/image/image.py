"""What an image is, wherever its bytes live: its configuration, its layers, and the way to read them once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.image.entry import Entry
    from mooring.image.filesystem import Filesystem

    # Called once for each regular file of each layer, in one pass, from several threads; what it returns is kept with
    # the entry (Filesystem.notes) unless it is None. It may read the stream as far as it likes, forwards only.
    Inspector = Callable[[Entry, BinaryIO], Any]


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """How a container of the image starts, as the OCI image configuration says it.

    `env` keeps its order, `history` holds the `created_by` of every step, the oldest first.
    """

    architecture: str = ""
    os: str = "linux"
    variant: str = ""
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    working_dir: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    stop_signal: str = ""
    history: tuple[str, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """What is executed when a container starts: the entrypoint and the command in one."""
        return (*self.entrypoint, *self.cmd)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer, the oldest first in `Image.layers`.

    `size` is in bytes as stored (compressed, where it is), 0 where the source does not say; `digest` is of those
    bytes, "" where the source has none; `created_by` is the step of the image's history that made it.
    """

    digest: str = ""
    size: int = 0
    media_type: str = ""
    created_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a pass over the layers is: bytes as stored that were read, of `total` (0 where unknown)."""

    done: int
    total: int


class Image(Protocol):
    """A read-only view of an image; `config`, `layers` and `size` are cheap, `read` is the one long pass."""

    @property
    def name(self) -> str:
        """What the caller named it by."""

    @property
    def kind(self) -> str:
        """Where its bytes live: "engine", "archive", "layout", "registry" or "memory"."""

    @property
    def digest(self) -> str:
        """The digest of its manifest, of its configuration where it has no manifest."""

    @property
    def media_type(self) -> str:
        """The media type of what its name leads to; an index's where it is one; "" where the source does not say."""

    @property
    def platforms(self) -> tuple[str, ...]:
        """What an index offers besides attestations, such as `linux/amd64`; empty for a plain manifest."""

    @property
    def config(self) -> ImageConfig:
        """How its containers start."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Its layers, the oldest first."""

    @property
    def compressed_size(self) -> int:
        """Bytes a registry stores and transfers; 0 where the source keeps its layers unpacked."""

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers in one streaming pass, merged into one tree; nothing is unpacked to disk.

        Invalid, naming the layer and what is wrong with it, when it cannot be read or is made to exhaust the reader.
        """
