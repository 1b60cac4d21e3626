"""Images in OCI's form: index.json, and blobs named by their digests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid, NotFound
from mooring.image.manifest import (
    INDEXES,
    MANIFESTS,
    Descriptor,
    chosen,
    diff_ids,
    image_config,
    index_entries,
    layers_of,
    manifest_in,
    media_type_of,
    parsed,
    platforms_of,
)
from mooring.image.store import Opened, Store, document_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mooring.image.image import Layer

OCI_INDEX_FILE = "index.json"
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
# An index may list indexes; nobody nests them deeper than this.
DEEPEST_INDEX = 3
FOREIGN = ("foreign", "nondistributable")


def blob_file(digest: str) -> str:
    """The name of a blob's file; the digest is a well-formed one."""
    return f"blobs/{digest.replace(':', '/')}"


def several(what: str, names: Iterable[str]) -> Invalid:
    """The error of a store with more than one image."""
    found = sorted(names)
    listed = ", ".join(name or "one without a name" for name in found)
    first = next((name.split(", ")[0] for name in found if name), "")
    short = first.rpartition("/")[2]
    alone = sum(means(short, one) for name in found for one in name.split(", ")) == 1
    hint = f"name one: PATH#NAME, such as {what}#{short if alone else first}" if first else "save one alone"
    return Invalid(f"{what} holds several images: {listed}", hint=hint)


def means(wanted: str, name: str) -> bool:
    """Whether a name such as `docker.io/library/mnist:1` is the one asked for: as a whole, or its end."""
    return bool(name) and (name == wanted or name.endswith((f"/{wanted}", f":{wanted}")))


class OciForm:
    """The image in a store that has an index.json."""

    def __init__(self, store: Store, what: str) -> None:
        self._store = store
        self._what = what

    def image(self, name: str) -> Opened:
        """The image, of that name where there are several."""
        index = parsed(document_in(self._store, OCI_INDEX_FILE, self._what), f"{self._what}: {OCI_INDEX_FILE}")
        entries = self._named(index, name)
        # Several platforms side by side are an index without a file of its own.
        platforms = platforms_of(entries) if len(entries) > 1 else ()
        media_type = INDEXES[0] if len(entries) > 1 else ""
        for _ in range(DEEPEST_INDEX + 1):
            entry = self._chosen(entries)
            where = f"{self._what}: {entry.digest}"
            document = parsed(self._blob(entry), where)
            found = media_type_of(document, entry.media_type, where)
            media_type = media_type or found
            if found in MANIFESTS:
                return self._manifest(entry, document, media_type, platforms)
            entries = index_entries(document, where)
            platforms = platforms or platforms_of(entries)
        raise Invalid(f"{self._what} is an index of indexes, more than {DEEPEST_INDEX} deep")

    def _named(self, index: dict[str, Any], wanted: str) -> tuple[Descriptor, ...]:
        """The entries of the image of that name; those of the only one without a name."""
        listed = index.get("manifests")
        by_name: dict[str, dict[str, Descriptor]] = {}
        for one in listed if isinstance(listed, list) else [None]:
            for entry in index_entries({"manifests": [one]}, f"{self._what}: {OCI_INDEX_FILE}"):
                by_name.setdefault(_name_in(one), {})[entry.digest] = entry
        if wanted:
            names = sorted(by_name)
            by_name = {name: found for name, found in by_name.items() if means(wanted, name)}
            if not by_name:
                raise NotFound(f"{self._what} has no image {wanted}; it has {', '.join(names) or 'none'}")
        distinct = {tuple(found): found for found in by_name.values()}
        if not distinct:
            raise Invalid(f"{self._what}: {OCI_INDEX_FILE} lists no image")
        if len(distinct) > 1:
            raise several(self._what, by_name)
        return tuple(next(iter(distinct.values())).values())

    def _chosen(self, entries: Sequence[Descriptor]) -> Descriptor:
        """The entry for this machine, else the one there is; of those whose content is there, if any is."""
        there = [entry for entry in entries if self._store.size(blob_file(entry.digest)) is not None]
        return chosen(there or entries, "", self._what)

    def _blob(self, entry: Descriptor) -> bytes:
        data = document_in(self._store, blob_file(entry.digest), self._what)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if digest != entry.digest:
            raise Invalid(
                f"{self._what}: the content of {entry.digest} has the digest {digest}",
                hint="the copy is damaged, or was changed; save the image again",
            )
        if len(data) != entry.size:
            raise Invalid(
                f"{self._what}: {entry.digest} has {len(data)} bytes, where {entry.size} were announced",
                hint="registries refuse that; save the image again",
            )
        return data

    def _manifest(
        self, entry: Descriptor, document: dict[str, Any], media_type: str, platforms: tuple[str, ...]
    ) -> Opened:
        where = f"{self._what}: {entry.digest}"
        manifest = manifest_in(document, where)
        data = self._blob(manifest.config)
        settings = parsed(data, f"{self._what}: {manifest.config.digest}")
        layers = layers_of(manifest, settings)
        for layer in layers:
            self._require(layer)
        return Opened(
            digest=entry.digest,
            media_type=media_type,
            platforms=platforms,
            config=image_config(settings),
            settings=data,
            layers=layers,
            files=tuple(blob_file(layer.digest) for layer in layers),
            diff_ids=diff_ids(settings),
        )

    def _require(self, layer: Layer) -> None:
        size = self._store.size(blob_file(layer.digest))
        if size is None and any(word in layer.media_type for word in FOREIGN):
            raise Invalid(
                f"{self._what}: layer {layer.digest} lies elsewhere ({layer.media_type}), and is not fetched",
                hint="build on a base whose layers may be distributed",
            )
        if size is None:
            raise Invalid(f"{self._what}: layer {layer.digest} is missing", hint="the image is not complete")
        if size != layer.size:
            raise Invalid(f"{self._what}: layer {layer.digest} has {size} bytes, where {layer.size} were announced")


def _name_in(entry: object) -> str:
    notes = entry.get("annotations") if isinstance(entry, dict) else None
    found = [notes.get(key) for key in NAMES] if isinstance(notes, dict) else []
    return next((name for name in found if isinstance(name, str) and name), "")
