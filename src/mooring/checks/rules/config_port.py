"""A declared port is one that the platform asks and the image opens.

No field of config.json is documented for a port: it is given when the model is created. Some authors write it into the
configuration all the same, as "port" or "x-port". Where the edition has one port for all, another one is never asked,
and the service stays in deployment until it fails.

Let the server listen on the platform's port, and leave the field out; or give the port when the model is created, and
EXPOSE the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding, Level, ModelConfig, edition
from mooring.contract.vocabulary import SERVICE_PORT, SERVICE_PORT_CHOICE
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

NAMES = ("x-port", "port")
HIGHEST = 65535
TEXT = '{{"model_algorithm": "text_tools", "model_type": "Image", "x-port": "{}", "apis": [{{"url": "/"}}]}}'


def _example(port: str) -> Example:
    text = TEXT.format(port)
    config = ModelConfig.parse(text.encode())
    image_config = ImageConfig(exposed_ports=("8080/tcp",))
    return Example(f"{text}\nEXPOSE 8080", config=config, image_config=image_config, edition=edition("otc-2022"))


@rule(
    "CFG-IMG-06",
    level=MUST,
    facts=(SERVICE_PORT, SERVICE_PORT_CHOICE),
    good=(_example("8080"),),
    bad=(_example("8000"),),
)
def config_port(config: ModelConfig, image_config: ImageConfig, edition: Edition) -> Iterator[Finding]:
    """Without a declared port there is nothing to compare; what the image opens is another rule's."""
    name = next((each for each in NAMES if each in config.extra), "")
    if not name:
        return
    value, wanted = str(config.extra[name]).strip(), edition[SERVICE_PORT]
    level, message, hint = _fault(value, wanted, image_config, fixed=edition.get(SERVICE_PORT_CHOICE, "") == "fixed")
    if message:
        place = config.root.find((name,)).place
        yield Finding(
            level=level,
            message=f"{name} is {value!r}: {message}",
            expected=f"port {wanted}, or one that is given when the model is created and that the image opens",
            document=edition.source(SERVICE_PORT),
            hint=hint,
            source=config.source,
            line=place.line,
            column=place.column,
        )


def _fault(value: str, wanted: int, image_config: ImageConfig, *, fixed: bool) -> tuple[Level, str, str]:
    """The weight, what is wrong and the remedy; all empty words if nothing is."""
    port = int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(HIGHEST)) else 0
    if not 1 <= port <= HIGHEST:
        return MUST, f"a port is a whole number from 1 to {HIGHEST}", f'write "{wanted}", or leave it out'
    if fixed and port != wanted:
        return MUST, f"the platform asks port {wanted} and no other", f"let the server listen on {wanted}"
    exposed = {each.partition("/")[0] for each in image_config.exposed_ports}
    if exposed and str(port) not in exposed:
        return Level.SHOULD, f"the image exposes {', '.join(sorted(exposed))}", f"EXPOSE {port}, or declare that port"
    return MUST, "", ""
