"""The image says what it starts.

The platform starts the image by its ENTRYPOINT and CMD. Without any, or with a bare interpreter that waits for a
terminal, the container ends at once, and the service fails after its deploy timeout.

End the Dockerfile with the server's command in its exec form: `CMD ["sh", "/home/run.sh"]`.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"
_BARE = re.compile(r"(?:ba|da|a|z)?sh|python[\d.]*|node|R|irb|jshell")


@rule(
    "IMG-BOOT-03",
    level=MUST,
    good=(Example('CMD ["sh", "/home/run.sh"]', image_config=ImageConfig(cmd=("sh", "/home/run.sh"))),),
    bad=(
        Example("no CMD and no ENTRYPOINT", image_config=ImageConfig()),
        Example('CMD ["python3"] (of the base image)', image_config=ImageConfig(cmd=("python3",))),
    ),
)
def starts_nothing(image_config: ImageConfig) -> Iterator[Finding]:
    """No words, only empty ones, or an interpreter that is given nothing to do."""
    words = image_config.command
    if not any(word.strip() for word in words):
        seen = "the image has neither ENTRYPOINT nor CMD"
    elif len(words) == 1 and _BARE.fullmatch(posixpath.basename(words[0])):
        seen = f"the image starts {words[0]} alone, which reads a terminal that is not there and ends"
    else:
        return
    yield Finding(
        message=seen,
        expected="a command that starts the server",
        document=DOCUMENT,
        hint='CMD ["sh", "/home/run.sh"] at the end of the Dockerfile; or the server: CMD ["python3", "-u", "app.py"]',
        source="CMD",
        causes=("no-command", "finished-at-once"),
    )
