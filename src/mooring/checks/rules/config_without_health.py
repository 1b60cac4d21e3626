"""config.json says how the platform asks for the health of the image.

Where the edition has every image answer on a path of its own choice, that path is asked and nothing else needs to be
said. Elsewhere an image without a health block counts as ready as soon as its port is open, though its model may still
load: the first requests fail. It cannot be upgraded without interruption either.

Add a health block: "health": {"url": "/health"}, and let the server answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.wish import Wish
from mooring.contract import Finding, Level, ModelConfig, edition
from mooring.contract.vocabulary import HEALTH_REQUIRED, HEALTH_REQUIRED_FOR_ROLLING, HEALTH_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

GOOD = """{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}],
 "health": {"url": "/health"}}"""
BAD = """{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}]}"""
TITLE = "a health block in config.json"
CAUSES = ("no-health-check",)


def _example(text: str, name: str, wish: Wish) -> Example:
    when = f"under {name}, for an upgrade without interruption" if wish.rolling_upgrade else f"under {name}"
    return Example(f"{when}:\n{text}", config=ModelConfig.parse(text.encode()), edition=edition(name), wish=wish)


@rule(
    "CFG-HEALTH-02",
    level=SHOULD,
    rolling=MUST,
    facts=(HEALTH_REQUIRED, HEALTH_REQUIRED_FOR_ROLLING, HEALTH_URL),
    good=(_example(GOOD, "otc-2024", Wish()), _example(BAD, "otc-2022", Wish())),
    bad=(_example(BAD, "otc-2024", Wish()), _example(BAD, "otc-2024", Wish(rolling_upgrade=True))),
)
def config_without_health(config: ModelConfig, edition: Edition, wish: Wish) -> Iterator[Finding]:
    """Preset engines have a health check of their own."""
    if config.health is not None or config.model_type != "Image":
        return
    url = edition.get(HEALTH_URL, "/health")
    hint = f'add "health": {{"url": "{url}"}}, and let the server answer it'
    if wish.rolling_upgrade and edition.get(HEALTH_REQUIRED_FOR_ROLLING, default=False):
        yield Finding(
            message="config.json has no health block, so no upgrade is without interruption",
            expected=TITLE,
            document=edition.source(HEALTH_REQUIRED_FOR_ROLLING),
            hint=hint,
            source=config.source,
            causes=CAUSES,
        )
    elif edition.get(HEALTH_REQUIRED, default=False):
        yield Finding(
            level=Level.INFO,
            message=f"config.json has no health block: {url} is asked",
            expected=TITLE,
            document=edition.source(HEALTH_REQUIRED),
            hint=hint,
            source=config.source,
        )
    else:
        yield Finding(
            level=Level.SHOULD,
            message="config.json has no health block: the image counts as ready as soon as its port is open",
            expected=TITLE,
            document=edition.source(HEALTH_URL) if HEALTH_URL in edition else "inference-modelarts-0056",
            hint=hint,
            source=config.source,
            causes=CAUSES,
        )
