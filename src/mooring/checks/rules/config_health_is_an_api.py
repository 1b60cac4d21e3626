"""The health url is not the url of an api.

It is asked with GET, every few seconds, without a body. Where an api has the same path, the server must tell the two
apart: one that takes POST only answers 405, and the image never becomes healthy; one that answers both runs the model
for each probe.

Give the health check a path of its own, such as /health.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level, ModelConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = """{{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{{"url": "/", "method": "POST"}}],
 "health": {{"url": "{}"}}}}"""


def _example(url: str) -> Example:
    text = TEXT.format(url)
    return Example(text, config=ModelConfig.parse(text.encode()))


@rule("CFG-IMG-09", level=SHOULD, good=(_example("/health"),), bad=(_example("/"),))
def config_health_is_an_api(config: ModelConfig) -> Iterator[Finding]:
    """An api that is asked with GET may well be the health url itself, declared so that callers can ask it too."""
    url = config.health.url if config.health and config.health.check_method == "HTTP" else None
    apis = [(n, api) for n, api in enumerate(config.apis) if url is not None and api.url == url]
    told = any(api.method == "GET" for _, api in apis)
    for n, api in apis:
        place = config.root.find(("apis", n, "url")).place
        yield Finding(
            level=Level.INFO if told else SHOULD,
            message=f"health asks GET {url}, which is also apis[{n}], {api.method} {api.url}",
            expected="a path of its own for the health check",
            document="inference-modelarts-0056",
            hint='serve GET /health, and write "health": {"url": "/health"}',
            source=config.source,
            line=place.line,
            column=place.column,
        )
