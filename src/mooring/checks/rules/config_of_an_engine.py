"""The config.json of an image says that the model is one.

Any other model_type has the platform start a preset engine on files in object storage. Given with an image it is
refused, or the image's own server is never started.

Write "model_type": "Image", and leave out runtime and dependencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, ModelConfig
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = '{{"model_algorithm": "text_tools", "model_type": "{}", "apis": [{{"url": "/"}}]}}'


def _example(model_type: str) -> Example:
    text = TEXT.format(model_type)
    return Example(text, config=ModelConfig.parse(text.encode()), image_config=ImageConfig())


@rule("CFG-IMG-07", level=SHOULD, good=(_example("Image"),), bad=(_example("PyTorch"),))
def config_of_an_engine(config: ModelConfig, image_config: ImageConfig) -> Iterator[Finding]:  # noqa: ARG001 - only images have one
    """A package for a preset engine is no image, and not asked."""
    if config.model_type != "Image":
        place = config.root.find(("model_type",)).place
        yield Finding(
            message=f"model_type is {config.model_type!r}, and this is an image",
            expected="Image",
            document="modelarts_23_0092",
            hint='write "model_type": "Image"',
            source=config.source,
            line=place.line,
            column=place.column,
        )
