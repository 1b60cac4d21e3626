"""swr_location names the image that is checked.

It is read when a package in object storage is imported, and then the image it names is started, not the one that was
tested.

Write the name and tag under which this image is pushed, or leave it out where the image itself is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, Example, rule
from mooring.contract import Finding, ModelConfig
from mooring.image import Image, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

# Subjects whose name is a path.
PATHS = ("archive", "layout")
TEXT = """{{"model_algorithm": "text_tools", "model_type": "Image", "swr_location": "swr.example/acme/{}",
 "apis": [{{"url": "/"}}]}}"""


def _example(name: str) -> Example:
    text = TEXT.format(name)
    return Example(f"text:2 with\n{text}", config=ModelConfig.parse(text.encode()), image=MemoryImage(name="text:2"))


@rule("CFG-IMG-08", level=INFO, good=(_example("text:2"),), bad=(_example("text:1"),))
def config_names_another_image(config: ModelConfig, image: Image) -> Iterator[Finding]:
    """Registry and organisation may differ: an image is tested before it is pushed."""
    if not config.swr_location or image.kind in PATHS or _short(config.swr_location) == _short(image.name):
        return
    place = config.root.find(("swr_location",)).place
    yield Finding(
        message=f"swr_location is {config.swr_location}, this image is {image.name}",
        expected="the name under which this image is pushed",
        document="modelarts_23_0092",
        hint="correct it, or leave it out where the image itself is imported",
        source=config.source,
        line=place.line,
        column=place.column,
    )


def _short(reference: str) -> str:
    """Its last part with the tag: what a name has in common before and after it is pushed."""
    name = reference.partition("@")[0].rpartition("/")[2]
    return name if ":" in name else f"{name}:latest"
