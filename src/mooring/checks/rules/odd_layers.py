"""The layers of the image can be read in one way only.

A path with `..`, one path twice in a layer, a name that is no UTF-8: tools read such entries in different ways, so
that what was looked at need not be what runs. Ordinary builders do not make them.

Build the image anew with docker, podman or buildah; name files with plain characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import INFO, Example, rule
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem

SHOWN = 10


@rule(
    "IMG-FILES-01",
    level=INFO,
    good=(Example("COPY app /home/app", image=image("a", files={"/home/app/app.py": ""})),),
    bad=(
        Example("a layer with ../../etc/passwd", image=image("a", files={"../../etc/passwd": "root::0:0::/:/bin/sh"})),
    ),
)
def odd_layers(files: Filesystem) -> Iterator[Finding]:
    """A few of them, and how many there are."""
    for one in files.oddities[:SHOWN]:
        yield Finding(
            message=f"layer {one.layer} has {one.path!r}: {one.what}",
            expected="plain, relative paths, each once",
            source=f"layer {one.layer}",
        )
    if len(files.oddities) > SHOWN:
        yield Finding(message=f"and {len(files.oddities) - SHOWN} more of the kind", source="layers")
