"""The batch boot file is in the image, and its user may read it.

A batch service starts the image through one file at a fixed path. Without it the job fails when its container starts.

Put a start script there: `COPY run.sh /home/run.sh`, and let everybody read it: `chmod a+r`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image, script
from mooring.checks.command.identity import READ, identity
from mooring.checks.rule import BATCH, MUST, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import BOOT_FILE
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_RUN = "#!/bin/sh\nexec python3 -u /home/app/app.py\n"


@rule(
    "IMG-BOOT-01",
    level=MUST,
    kind=BATCH,
    facts=(BOOT_FILE,),
    good=(Example("COPY run.sh /home/run.sh", image=image("sh", "/home/run.sh", files={"/home/run.sh": _RUN})),),
    bad=(
        Example("COPY run.sh /home/app/run.sh", image=image("sh", files={"/home/app/run.sh": _RUN})),
        Example(
            "RUN chmod 700 /home/run.sh, then USER ma-user",
            image=image("sh", files={"/home/run.sh": script(_RUN, 0o700)}, user="ma-user"),
        ),
    ),
)
def boot_file_missing(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """There, a file, and readable by whom the image runs as."""
    path = edition[BOOT_FILE]
    entry, who = files.resolve(path), identity(image_config, files)
    name = path.rpartition("/")[2]
    hint = f"COPY {name} {path} in the Dockerfile"
    if entry is None:
        there = sorted(one.path for one in files.entries() if one.path.endswith("/" + name))[:3]
        seen = f"there is no {path}" + (f", but {', '.join(there)}" if there else "")
    elif entry.kind is not EntryKind.FILE:
        seen = f"{path} is a {entry.kind}"
    elif not who.may(entry, READ) or not who.may_reach(entry.path, files):
        seen = (
            f"{path} may not be read by the image's user {image_config.user} (mode {entry.mode:o}, owner {entry.uid})"
        )
        hint = f"RUN chmod a+rX {path} in the Dockerfile, before USER"
    else:
        return
    yield Finding(
        message=seen,
        expected=f"a readable file {path}",
        document=edition.source(BOOT_FILE),
        hint=hint,
        source=path,
        causes=("command-missing", "permission-denied"),
    )
