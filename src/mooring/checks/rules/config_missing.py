"""The image brings its config.json.

Without one the apis must be typed into the console, or be given at import, each time and by somebody who knows them. An
image that carries it is imported the same way everywhere, and can be checked by anybody.

Put the text into the label io.mooring.config, as `mooring build` does, or into /home/model/config.json; or give it at
import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.config_source import PLACES, ConfigSearch, search
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.model_config import CONFIG_LABEL
from mooring.image import ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}]}'


def _searched(**labels: str) -> ConfigSearch:
    image = MemoryImage(config=ImageConfig(labels=labels))
    return search(image.read(), image.config, None)


@rule(
    "CFG-IMG-01",
    level=SHOULD,
    good=(Example(f"LABEL {CONFIG_LABEL}='{TEXT}'", config_search=_searched(**{CONFIG_LABEL: TEXT})),),
    bad=(Example("no config.json anywhere", config_search=_searched()),),
)
def config_missing(config_search: ConfigSearch) -> Iterator[Finding]:
    """One that was given for this check is as good as one given at import."""
    if not config_search.whole:
        raise NotAsked("there are no files to look for config.json in")
    if len(config_search.places) > config_search.given:
        return
    yield Finding(
        level=Level.INFO if config_search.given else SHOULD,
        message="the image holds no config.json" + ("; the given one is used" if config_search.given else ""),
        expected="a config.json in the image, or one given at import",
        document="modelarts_23_0206, inference-modelarts-0009",
        hint=f"put it into the label {CONFIG_LABEL} or into {PLACES[1]}; for this check, use --config FILE",
        source="image",
    )
