"""CMD starts the batch boot file.

A batch service runs the image's CMD and expects it to lead to the boot file, in its shell form or its exec form. An
ENTRYPOINT alone does not count: the documents ask for CMD.

Write `CMD ["sh", "/home/run.sh"]`, and leave ENTRYPOINT out (`ENTRYPOINT []` over a base that has one).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mooring.checks.command import start_command
from mooring.checks.command.bases import image
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import BATCH, MUST, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import BOOT_COMMAND, BOOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_FILES = {"/home/run.sh": "exec python3 -u /a.py\n"}


@rule(
    "IMG-BOOT-02",
    level=MUST,
    kind=BATCH,
    facts=(BOOT_FILE, BOOT_COMMAND),
    good=(
        Example('CMD ["sh", "/home/run.sh"]', image=image("sh", "/home/run.sh", files=_FILES)),
        Example("CMD /bin/sh /home/run.sh", image=image("/bin/sh /home/run.sh", files=_FILES)),
    ),
    bad=(
        Example('CMD ["python3", "-u", "/a.py"]', image=image("python3", "-u", "/a.py", files=_FILES)),
        Example('ENTRYPOINT ["sh", "/home/run.sh"]', image=image(entrypoint=("sh", "/home/run.sh"), files=_FILES)),
        Example(
            'ENTRYPOINT ["python3"] of the base, CMD ["sh", "/home/run.sh"]',
            image=image("sh", "/home/run.sh", entrypoint=("python3",), files=_FILES),
        ),
    ),
)
def boot_command_other(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """Where the boot file is not there, IMG-BOOT-01 tells, and only the words are judged here."""
    path, command = edition[BOOT_FILE], edition.text(BOOT_COMMAND)
    named = any(path in word for word in image_config.cmd)
    start = start_command(image_config, files)
    reached = any(step.path == path for step in start.shells) or any(hop.program.path == path for hop in start.hops)
    lost = any(hop.file and hop.file.path == path for hop in start.hops)
    if named and (reached or lost):
        return
    if named and start.doubt:
        raise NotAsked(f"whether ENTRYPOINT lets CMD through is not known: {start.doubt}")
    if reached and not image_config.cmd:
        seen = f"only ENTRYPOINT leads to {path}: {start.shown}"
    elif named:
        seen = f"ENTRYPOINT and CMD together are {start.shown}, which does not start {path}"
    else:
        behind = f", behind ENTRYPOINT {json.dumps(list(image_config.entrypoint))}" if image_config.entrypoint else ""
        seen = f"CMD is {' '.join(image_config.cmd) or 'not set'}{behind}"
    yield Finding(
        message=seen,
        expected=f"CMD {command}",
        document=edition.source(BOOT_COMMAND),
        hint=f'ENTRYPOINT [] and CMD ["sh", "{path}"] at the end of the Dockerfile',
        source="CMD",
    )
