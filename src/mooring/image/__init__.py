"""Views of container images, wherever their bytes live: an engine, an archive, an OCI layout, a registry, memory."""

from mooring.image.entry import Entry, EntryKind, LayerSize, Note, Oddity
from mooring.image.filesystem import Filesystem
from mooring.image.image import Image, ImageConfig, Layer, Progress
from mooring.image.memory import File, MemoryImage

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
    "Note",
    "Oddity",
    "Progress",
]
