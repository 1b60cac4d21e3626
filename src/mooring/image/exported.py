"""An image that an engine holds: described by its API, and read from the archive that it writes to whom asks."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid
from mooring.image.manifest import Descriptor, Manifest, diff_ids, image_config, layers_of
from mooring.image.reading import Pass
from mooring.image.sweep import Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import Inspector, Progress

TAR = "application/vnd.oci.image.layer.v1.tar"


def exported_image(
    name: str,
    inspect: Mapping[str, Any],
    open_stream: Callable[[], Iterator[bytes]],
    *,
    history: Sequence[Mapping[str, Any]] = (),
) -> ExportedImage:
    """The image that an engine calls `name`, as its API describes it.

    `inspect` is its answer to an image's inspection (Id, Architecture, Config, RootFS and so on), `history` that to
    the history, the newest step first. `open_stream` gives the archive of that one image as `docker save` writes it;
    what it gives is closed, if it can be: from another thread than reads it, unless it is a generator.
    """
    return ExportedImage(name, _settings(inspect, history), inspect, open_stream)


class ExportedImage:
    """The image; what it holds is asked of the engine when it is read, in one stream."""

    kind = "engine"
    # The engine keeps layers unpacked, and does not tell what a registry would store.
    compressed_size = 0
    platforms: tuple[str, ...] = ()

    def __init__(
        self,
        name: str,
        settings: dict[str, Any],
        inspect: Mapping[str, Any],
        open_stream: Callable[[], Iterator[bytes]],
    ) -> None:
        self.name = name
        self.digest = str(inspect.get("Id") or "")
        described = inspect.get("Descriptor")
        self.media_type = str(described.get("mediaType") or "") if isinstance(described, dict) else ""
        self.config = image_config(settings)
        ids = diff_ids(settings)
        told = tuple(Descriptor(media_type=TAR, digest=digest, size=0) for digest in ids)
        config = Descriptor(media_type="", digest=self.digest, size=0)
        self.layers = layers_of(Manifest(config=config, layers=told), settings)
        size = inspect.get("Size")
        self._size = size if isinstance(size, int) and size > 0 else 0
        self._open = open_stream

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers in one pass over the stream; the total of the progress is what the engine says it takes.

        Invalid, naming the layer and what is wrong with it, when what the engine writes is damaged, or another image.
        """
        whole = Pass(inspect, progress, total=self._size)
        sweep = Sweep(f"the archive of {self.name}", whole)
        stream = self._open()
        # A generator cannot be closed while it runs in another thread; a connection can.
        interrupt = None if isinstance(stream, Generator) else getattr(stream, "close", None)
        try:
            sweep.run(whole.counted(stream), interrupt=interrupt)
        finally:
            if hasattr(stream, "close"):
                stream.close()
        found = sweep.opened("")
        ids = tuple(layer.digest for layer in self.layers)
        if ids and found.diff_ids and found.diff_ids != ids:
            raise Invalid(f"the engine describes {self.name} by other layers than it writes", hint="try again")
        return sweep.filesystem(found)


def _settings(inspect: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The engine's answers in the form of an image's configuration."""
    rootfs = inspect.get("RootFS")
    steps = [{"created_by": step.get("CreatedBy"), "empty_layer": not step.get("Size")} for step in reversed(history)]
    return {
        "architecture": inspect.get("Architecture"),
        "os": inspect.get("Os"),
        "variant": inspect.get("Variant"),
        "config": inspect.get("Config"),
        "rootfs": {"diff_ids": rootfs.get("Layers") if isinstance(rootfs, dict) else []},
        "history": steps,
    }
