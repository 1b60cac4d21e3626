"""Images in the form that `docker save` has always written: manifest.json, and a configuration and layers it names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid, NotFound
from mooring.image.manifest import Descriptor, Manifest, diff_ids, image_config, layers_of, parsed
from mooring.image.oci_form import means, several
from mooring.image.store import Opened, Store, document_in
from mooring.image.unpacking import packing_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCKER_MANIFEST_FILE = "manifest.json"
TAR = "application/vnd.oci.image.layer.v1.tar"


def docker_image(store: Store, what: str, name: str) -> Opened:
    """The image in a store that has a manifest.json, the one of that name where there are several."""
    where = f"{what}: {DOCKER_MANIFEST_FILE}"
    entry = _entry(document_in(store, DOCKER_MANIFEST_FILE, what), what, name)
    config_file, files = entry.get("Config"), entry.get("Layers")
    if not isinstance(config_file, str) or not isinstance(files, list):
        raise Invalid(f"{where}: an image without Config or Layers")
    data = document_in(store, config_file, what)
    settings = parsed(data, f"{what}: {config_file}")
    ids = diff_ids(settings)
    if len(ids) != len(files):
        raise Invalid(f"{where}: {len(files)} layers, where the configuration {config_file} has {len(ids)}")
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    told = tuple(_layer(store, what, file, diff_id) for file, diff_id in zip(files, ids, strict=True))
    manifest = Manifest(config=Descriptor(media_type="", digest=digest, size=len(data)), layers=told)
    return Opened(
        digest=digest,
        media_type="",
        platforms=(),
        config=image_config(settings),
        settings=data,
        layers=layers_of(manifest, settings),
        files=tuple(files),
        diff_ids=ids,
    )


def _entry(data: bytes, what: str, wanted: str) -> dict[str, Any]:
    # The one document that is a list; read as an object's value it is guarded like all others.
    listed = parsed(b'{"images":' + data + b"}", f"{what}: {DOCKER_MANIFEST_FILE}").get("images")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if wanted:
        fitting = [entry for entry in entries if any(means(wanted, name) for name in _names(entry))]
        if not fitting:
            names = ", ".join(sorted(name for entry in entries for name in _names(entry)))
            raise NotFound(f"{what} has no image {wanted}; it has {names or 'none with a name'}")
        entries = fitting
    if not entries:
        raise Invalid(f"{what}: {DOCKER_MANIFEST_FILE} lists no image")
    if len(entries) > 1:
        raise several(what, [", ".join(_names(entry)) for entry in entries])
    return entries[0]


def _names(entry: dict[str, Any]) -> Sequence[str]:
    names = entry.get("RepoTags")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _layer(store: Store, what: str, file: object, diff_id: str) -> Descriptor:
    """A layer without a digest of its own: where it is stored unpacked, its diff id is that."""
    size = store.size(file) if isinstance(file, str) else None
    if size is None or not isinstance(file, str):
        raise Invalid(f"{what}: layer {file!r} is missing", hint="the image is not complete")
    try:
        packing = packing_of(store.start(file))
    except Invalid as error:
        raise Invalid(f"{what}: layer {file!r}: {error.message}", hint=error.hint) from None
    return Descriptor(media_type=f"{TAR}+{packing}" if packing else TAR, digest="" if packing else diff_id, size=size)
