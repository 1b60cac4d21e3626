"""An image that lies in a registry: its manifest is asked for at once, its layers are streamed when they are read."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.errors import Invalid
from mooring.image.handing import Handed, Part
from mooring.image.manifest import (
    INDEXES,
    LARGEST_MANIFEST,
    MANIFESTS,
    Descriptor,
    chosen,
    image_config,
    index_entries,
    layers_of,
    manifest_in,
    media_type_of,
    parsed,
    platforms_of,
)
from mooring.image.reading import StoredLayer, read_layers
from mooring.image.registry_blob import Blob, blob_chunks
from mooring.image.registry_reference import registry_reference
from mooring.image.registry_session import Session
from mooring.image.registry_transport import Patience, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import ImageConfig, Inspector, Layer, Progress

_ACCEPT = ", ".join((*MANIFESTS, *INDEXES))
# An index may list indexes; nobody nests them deeper than this.
_DEEPEST_INDEX = 3


def registry_image(
    reference: str,
    *,
    environ: Mapping[str, str] = os.environ,
    platform: str = "",
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> RegistryImage:
    """The image that a reference such as `registry.example.com/team/mnist:1` means; asks the registry for manifests.

    `platform` chooses from an index (`linux/arm64`); without it this machine's, else the first for Linux. Credentials
    are taken from the Docker and podman configuration that `environ` points to, and only when the registry asks.

    Raises:
        Invalid: the reference, or what the registry sends, makes no sense, or is not what its digest promises.
        NotFound: no such repository, tag or platform.
        Denied: not for this user, or, with many registries, not there.
        Unavailable: the registry does not answer, or takes no more requests for now.
    """
    session = Session(registry_reference(reference), environ, patience)
    with session.connected() as transport:
        return RegistryImage(session, _Opening(session, transport).found(platform))


@dataclass(frozen=True, kw_only=True)
class _Found:
    digest: str
    media_type: str
    platforms: tuple[str, ...]
    config: ImageConfig
    settings: bytes
    layers: tuple[Layer, ...]


class RegistryImage:
    """An image in a registry; what identifies the user there is kept until its layers are read."""

    kind = "registry"

    def __init__(self, session: Session, found: _Found) -> None:
        self._session = session
        self.name = str(session.reference)
        self.digest = found.digest
        self.media_type = found.media_type
        self.platforms = found.platforms
        self.config = found.config
        self.layers = found.layers
        self._settings = found.settings

    @property
    def compressed_size(self) -> int:
        """Bytes that the registry stores and transfers for its layers."""
        return sum(layer.size for layer in self.layers)

    def read(
        self,
        inspect: Inspector | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
    ) -> Filesystem:
        """All layers, streamed and merged; several at a time, one answer of the registry each. Nothing is stored.

        Raises:
            Invalid: a layer is damaged, or not what its digest promises.
            Denied, NotFound, Unavailable: the registry does not give a layer, or stops in the midst of it.
        """
        with self._session.connected() as transport:
            sources = [self._stored(transport, number) for number in range(len(self.layers))]
            return read_layers(sources, inspect, progress=progress)

    @contextlib.contextmanager
    def handed(self) -> Iterator[Handed]:
        """The image for an engine: layers as they come from the registry; errors are those of `read`."""
        with self._session.connected() as transport:
            sources = [self._stored(transport, number) for number in range(len(self.layers))]
            parts = [
                Part(name=f"{number}.layer", size=source.size, chunks=source.chunks)
                for number, source in enumerate(sources)
            ]
            yield Handed(config=self._settings, layers=tuple(one.name for one in parts), parts=parts)

    def _stored(self, transport: Transport, number: int) -> StoredLayer:
        layer = self.layers[number]
        blob = Blob(digest=layer.digest, size=layer.size, what=f"layer {number + 1} ({layer.digest})")
        return StoredLayer(layer=layer, chunks=lambda: blob_chunks(self._session, transport, blob), size=layer.size)


class _Opening:
    """From the reference to the manifest of one platform, and to its configuration."""

    def __init__(self, session: Session, transport: Transport) -> None:
        self._session = session
        self._transport = transport
        self._what = str(session.reference)

    def found(self, platform: str) -> _Found:
        """What there is for the platform; NotFound when there is nothing."""
        wanted = self._session.reference.wanted
        platforms: tuple[str, ...] = ()
        name_leads_to = ""
        for _ in range(_DEEPEST_INDEX + 1):
            digest, declared, data = self._manifest(wanted)
            document = parsed(data, self._what)
            media_type = media_type_of(document, declared, self._what)
            name_leads_to = name_leads_to or media_type
            if media_type in MANIFESTS:
                manifest = manifest_in(document, self._what)
                data = self._config(manifest.config)
                settings = parsed(data, f"the configuration of {self._what}")
                return _Found(
                    digest=digest,
                    media_type=name_leads_to,
                    platforms=platforms,
                    config=image_config(settings),
                    settings=data,
                    layers=layers_of(manifest, settings),
                )
            entries = index_entries(document, self._what)
            platforms = platforms or platforms_of(entries)
            wanted = chosen(entries, platform, self._what).digest
        raise Invalid(f"{self._what} is an index of indexes, more than {_DEEPEST_INDEX} deep")

    def _manifest(self, wanted: str) -> tuple[str, str, bytes]:
        """Its digest, the media type that the registry declares, and its bytes."""
        what = f"{self._session.reference.repository}{'@' if ':' in wanted else ':'}{wanted}"
        with self._session.get(self._transport, f"manifests/{wanted}", what, {"Accept": _ACCEPT}) as reply:
            data = reply.whole(LARGEST_MANIFEST, f"the manifest of {what}")
            declared, told = (reply.headers.get(name, "") for name in ("content-type", "docker-content-digest"))
        promised = wanted if ":" in wanted else told if told.startswith("sha256:") else ""
        digest = _require_digest(data, promised, f"the manifest of {what}")
        return digest, declared, data

    def _config(self, told: Descriptor) -> bytes:
        what = f"the configuration of {self._what}"
        if told.size > LARGEST_MANIFEST:
            raise Invalid(f"{what} has {told.size} bytes, where {LARGEST_MANIFEST} are plenty")
        blob = Blob(digest=told.digest, size=told.size, what=what)
        data = b"".join(blob_chunks(self._session, self._transport, blob))
        _require_digest(data, told.digest, what)
        return data


def _require_digest(data: bytes, promised: str, what: str) -> str:
    """The digest, if it is the one promised."""
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if digest != (promised or digest):
        raise Invalid(
            f"{what} is not what its digest promises: {promised[:100]} was promised, {digest} came",
            hint="the registry's copy, or a proxy's on the way, is damaged: push the image again",
        )
    return digest
