"""The program of a health command is in the image.

With check_method EXEC the platform runs the command inside the container. If its program is not there, every probe
fails: the service never becomes ready, and what the event says is only that the health check did not pass.

Install the program in the image, write its path in full, or ask by HTTP.
"""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING, Any

from mooring.checks.command.scope import DEFAULT_PATH
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding, ModelConfig
from mooring.image import File, Filesystem, ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = ("health", "readiness_health", "startup_health")
TEXT = """{{"model_algorithm": "text_tools", "model_type": "Image", "apis": [{{"url": "/"}}],
 "health": {{"check_method": "EXEC", "command": "{} http://127.0.0.1:8080/health"}}}}"""


def _example(program: str) -> Example:
    image = MemoryImage(files={"/usr/bin/curl": File(b"", mode=0o755)})
    text = TEXT.format(program)
    return Example(text, config=ModelConfig.parse(text.encode()), files=image.read(), image_config=image.config)


@rule("CFG-IMG-04", level=MUST, good=(_example("curl -f"),), bad=(_example("wget -q -O -"),))
def config_health_command(config: ModelConfig, files: Filesystem, image_config: ImageConfig) -> Iterator[Finding]:
    """Of the command only its program is judged; what it answers is seen when the image runs."""
    for name, block in _blocks(config.clean()):
        program = _program(block)
        if program and not _is_there(program, files, image_config):
            place = config.root.find((name, "command")).place
            yield Finding(
                message=f"{name} runs {program}, which is not in the image",
                expected="a command whose program is in the image",
                document="inference-modelarts-0009, inference2.0-modelarts-0095",
                hint=f"install {program}, or ask by HTTP",
                source=config.source,
                line=place.line,
                column=place.column,
                causes=("health-command-fails",),
            )


def _blocks(clean: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in BLOCKS:
        block = clean.get(name)
        if block and block.get("check_method") == "EXEC":
            yield name, block


def _program(block: dict[str, Any]) -> str:
    """The first word of the command; the platform joins and splits it at blanks."""
    command = str(block.get("command", ""))
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return words[0] if words else ""


def _is_there(program: str, files: Filesystem, image_config: ImageConfig) -> bool:
    if "/" in program:
        program = posixpath.join(image_config.working_dir or "/", program)
    return files.which(program, image_config.env.get("PATH") or DEFAULT_PATH) is not None
