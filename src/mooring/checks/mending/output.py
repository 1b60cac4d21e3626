"""Python's output in the log at once: a line for a Dockerfile, where the folder shows that it would come late."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from mooring.checks.command import start_command
from mooring.checks.command.bases import DEBIAN, PATH
from mooring.checks.command.python_program import python_program
from mooring.checks.dockerfile import read_dockerfile
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import rule_named
from mooring.image import File, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.checks.dockerfile import Dockerfile
    from mooring.image import ImageConfig

RULE = "IMG-LOG-03"
LINE = "ENV PYTHONUNBUFFERED=1"


def mended(text: str, read: Callable[[str], bytes | None], *, boot_file: str) -> tuple[str, dict[str, str]]:
    """The Dockerfile put right, and what was done; the same text, and no words, if it is not certain to need it.

    `read` gives the content of a file of the folder by its path there, None if there is none.
    """
    found = read_dockerfile(text)
    decided = [each for each in (found.last("CMD"), found.last("ENTRYPOINT")) if each is not None]
    if not decided or not _comes_late(found, read, boot_file):
        return text, {}
    lines = text.split("\n")
    at = min(each.line for each in decided) - 1
    end = "\r" if lines[at].endswith("\r") else ""
    while at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    lines.insert(at, LINE + end)
    return "\n".join(lines), {RULE: f"{LINE}, so that what the server prints is in the log at once"}


def _comes_late(found: Dockerfile, read: Callable[[str], bytes | None], boot_file: str) -> bool:
    """Whether the rule itself would say so of an image with the two files that are known: its script, its program."""
    settings = dataclasses.replace(found.config, env={"PATH": PATH, **found.config.env})
    files: dict[str, File | bytes | str] = dict(DEBIAN)
    script = read(found.source_of(boot_file)) if boot_file in settings.command else None
    if script is not None:
        files[boot_file] = File(content=script, mode=0o755)
    path = _program(settings, files)
    content = read(found.source_of(path)) if path else None
    if content is None:
        return False
    image = MemoryImage(files={**files, path: content}, config=settings)
    try:
        return any(rule_named(RULE).judge(image_config=settings, files=image.read()))
    except NotAsked:
        return False


def _program(settings: ImageConfig, files: dict[str, File | bytes | str]) -> str:
    """The Python file that is started, "" if that cannot be told."""
    read = MemoryImage(files=files, config=settings).read()
    start = start_command(settings, read)
    python = python_program(start, read) if start.program else None
    return python.path if python else ""
