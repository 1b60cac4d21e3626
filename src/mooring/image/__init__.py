"""Views of container images, wherever their bytes live: an engine, an archive, an OCI layout, a registry, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring.image.archive import archive_image
from mooring.image.entry import Entry, EntryKind, LayerSize, Note, Oddity
from mooring.image.exported import exported_image
from mooring.image.filesystem import Filesystem
from mooring.image.handing import Movable, docker_archive
from mooring.image.image import Image, ImageConfig, Layer, Progress
from mooring.image.layout import layout_image
from mooring.image.memory import File, MemoryImage

if TYPE_CHECKING:
    from mooring.image.registry import registry_image

__all__ = [
    "Entry",
    "EntryKind",
    "File",
    "Filesystem",
    "Image",
    "ImageConfig",
    "Layer",
    "LayerSize",
    "MemoryImage",
    "Movable",
    "Note",
    "Oddity",
    "Progress",
    "archive_image",
    "docker_archive",
    "exported_image",
    "layout_image",
    "registry_image",
]


def __getattr__(name: str) -> Any:
    """`registry_image`, when it is first asked for: an HTTP client takes half a second to import, and few need it."""
    if name == "registry_image":
        from mooring.image.registry import registry_image as found  # noqa: PLC0415 -- that is the point

        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
