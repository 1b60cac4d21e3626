"""The label and the files of the image say the same.

An image that carries two configurations is imported by one and tested by the other. Which of them counts depends on
who looks: the label comes first here, a file in the model folder first on the platform.

Keep one of them, or build the image anew so that both are written from the same file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring.checks.config_source import ConfigSearch, search
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding
from mooring.contract.model_config import CONFIG_LABEL
from mooring.image import ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

LABEL = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/"}]}'
OTHER = '{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"url": "/predict"}]}'
FILE = "/home/model/config.json"


def _example(text: str) -> Example:
    image = MemoryImage(files={FILE: text}, config=ImageConfig(labels={CONFIG_LABEL: LABEL}))
    shown = f"LABEL {CONFIG_LABEL}='{LABEL}'\n{FILE}:\n{text}"
    return Example(shown, config_search=search(image.read(), image.config, None))


@rule("CFG-IMG-02", level=SHOULD, good=(_example(LABEL),), bad=(_example(OTHER),))
def config_label_differs(config_search: ConfigSearch) -> Iterator[Finding]:
    """What the caller gave for this check is the caller's own business."""
    mine = [place for place in config_search.places[config_search.given :] if place.config]
    for other in mine[1:]:
        first = mine[0]
        if first.config is None or other.config is None:
            continue
        where = difference(first.config.clean(), other.config.clean())
        if where:
            yield Finding(
                message=f"{first.words} and {other.words} differ at {where}",
                expected="one configuration in an image",
                document="inference-modelarts-0055",
                hint=f"keep one of them; here {first.words} counts",
                source=other.words,
            )


def difference(one: Any, other: Any, where: str = "") -> str:
    """The first place where two JSON values are not the same: `apis[0].url`; "" if they are."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            inner = f"{where}.{name}" if where else name
            if (name in one) != (name in other):
                return inner
            if found := difference(one[name], other[name], inner):
                return found
        return ""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((found for n, (a, b) in pairs if (found := difference(a, b, f"{where}[{n}]"))), "")
    return "" if one == other else where or "the top"
