"""https is declared only where the container speaks TLS.

Callers see https in any case: the platform's gateway speaks it. The protocol in config.json is that between the gateway
and the container; declared as https for a server that speaks http, every call fails with ModelArts.4503.

Write "protocol": "http", unless the server in the container has a certificate of its own.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, Example, rule
from mooring.contract import Finding, ModelConfig
from mooring.image import Filesystem, ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

_TLS = re.compile(r"ssl|tls|https|certfile|keyfile|certificate|\.pem\b|\.crt\b|keystore", re.IGNORECASE)
_PATH = re.compile(r"[\w./+-]*\w\.(?:py|sh|js|json|ya?ml|toml|conf|ini|cfg|properties)\b")
MOST_FILES = 40
TEXT = """{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{"protocol": "https", "url": "/"}]}"""


def _example(*command: str) -> Example:
    image = MemoryImage(config=ImageConfig(cmd=command))
    config = ModelConfig.parse(TEXT.encode())
    return Example(f"{TEXT}\nCMD {' '.join(command)}", config=config, files=image.read(), image_config=image.config)


@rule(
    "CFG-IMG-05",
    level=INFO,
    good=(_example("uvicorn", "app:app", "--ssl-certfile", "/etc/server.crt"),),
    bad=(_example("uvicorn", "app:app", "--port", "8080"),),
)
def config_https_without_tls(config: ModelConfig, files: Filesystem, image_config: ImageConfig) -> Iterator[Finding]:
    """A remark: only the running container tells what it speaks."""
    for n, api in enumerate(config.apis):
        if api.protocol != "https" or _speaks_tls(files, image_config):
            continue
        place = config.root.find(("apis", n, "protocol")).place
        yield Finding(
            message=f"apis[{n}] is declared as https, and nothing in the start command speaks of TLS",
            expected="the protocol that the server in the container really speaks",
            document="modelarts_23_0092, modelarts_13_0219",
            hint='write "protocol": "http"; callers see https all the same',
            source=config.source,
            line=place.line,
            column=place.column,
        )


def _speaks_tls(files: Filesystem, image_config: ImageConfig) -> bool:
    """Whether the command, the variables, or a file that they lead to says a word of TLS."""
    variables = [f"{name}={value}" for name, value in image_config.env.items()]
    waiting, seen = [" ".join((*image_config.command, *variables))], set[str]()
    while waiting:
        text = waiting.pop()
        if _TLS.search(text):
            return True
        for name in _PATH.findall(text):
            path = posixpath.normpath(posixpath.join(image_config.working_dir or "/", name))
            content = files.text(path)
            if content is not None and path not in seen and len(seen) < MOST_FILES:
                seen.add(path)
                waiting.append(content.decode("utf-8", "replace"))
    return False
