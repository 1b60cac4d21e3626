"""The image's config.json can be read.

One that is no JSON, or makes no sense where it must, is refused at import with ModelArts.3015 or ModelArts.3016, and
nothing that depends on it can be judged before it is mended.

Correct the place that the finding names; `mooring config check` reads a file by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.config_source import ConfigSearch, search
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding, Level
from mooring.image import MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}]}'
BAD = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}'


def _example(text: str) -> Example:
    image = MemoryImage(files={"/home/model/config.json": text})
    return Example(text, config_search=search(image.read(), image.config, None))


@rule("CFG-IMG-03", level=MUST, good=(_example(GOOD),), bad=(_example(BAD),))
def config_unreadable(config_search: ConfigSearch) -> Iterator[Finding]:
    """Only the one that counts must be whole."""
    if config_search.chosen is None:
        raise NotAsked("there is no config.json")
    for place in config_search.places:
        if place.config is None:
            yield Finding(
                level=MUST if place is config_search.chosen else Level.INFO,
                message=place.problem,
                expected="a config.json that holds one JSON object as the contract describes it",
                document="inference-modelarts-0056, modelarts_03_0095",
                hint=place.hint or "correct it; `mooring config check FILE` says where",
                source=place.words,
            )
