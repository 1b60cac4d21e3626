"""The image brings its config.json.

Without one the apis must be typed into the console, or be given at import, each time and by somebody who knows them. An
image that carries it is imported the same way everywhere, and can be checked by anybody.

Looked at are the label io.mooring.config; config.json in /home, /home/model, /home/mind/model, /model, in the folder
model of any folder of /home, and in /; and, where none of these is a model's configuration, config.json in any folder
of /home and in the image's WORKDIR.

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
    from collections.abc import Iterator, Mapping

TEXT = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}]}'


def _searched(*, files: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None) -> ConfigSearch:
    image = MemoryImage(files=files or {}, config=ImageConfig(labels=labels or {}))
    return search(image.read(), image.config, None)


@rule(
    "CFG-IMG-01",
    level=SHOULD,
    good=(Example(f"LABEL {CONFIG_LABEL}='{TEXT}'", config_search=_searched(labels={CONFIG_LABEL: TEXT})),),
    bad=(
        Example("no config.json anywhere", config_search=_searched()),
        Example(
            "/opt/scorer/config.json, in none of the places",
            config_search=_searched(files={"/opt/scorer/config.json": TEXT}),
        ),
    ),
)
def config_missing(config_search: ConfigSearch) -> Iterator[Finding]:
    """One that was given for this check is as good as one given at import."""
    if not config_search.whole:
        raise NotAsked("there are no files to look for config.json in")
    if len(config_search.places) > config_search.given:
        return
    other = config_search.elsewhere[0] if config_search.elsewhere else ""
    message = f"there is {other}, where nobody looks for it" if other else "the image holds no config.json"
    place = f"move it to {PLACES[1]}" if other else f"put it into {PLACES[1]}"
    yield Finding(
        level=Level.INFO if config_search.given else SHOULD,
        message=message + ("; the given one is used" if config_search.given else ""),
        expected="a config.json in the image, or one given at import",
        document="modelarts_23_0206, inference-modelarts-0009",
        hint=f"{place}, or into the label {CONFIG_LABEL}; for this check, use --config FILE",
        source=other or "image",
    )
