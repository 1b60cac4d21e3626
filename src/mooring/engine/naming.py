"""Names of images in an engine: giving one, and what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.engine.translation import translated

if TYPE_CHECKING:
    from mooring.engine.docker import DockerEngine


def give_name(engine: DockerEngine, image: str, name: str) -> None:
    """Let `name` (`repository:tag`) mean that image from now on. NotFound when the engine holds no such image."""
    repository, _, tag = name.rpartition(":")
    with translated(f"image {image}"):
        engine.api.tag(image, repository, tag, force=True)


def unpacked_size(engine: DockerEngine, image: str) -> int:
    """Bytes that the image takes, as its engine counts. NotFound when the engine holds no such image."""
    return int(engine.inspect_image(image).get("Size") or 0)
