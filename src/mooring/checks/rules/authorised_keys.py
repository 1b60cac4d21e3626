"""No key opens the image from outside.

A key in authorized_keys lets its owner in wherever the image runs, once an SSH server is in it or is put there. Keys of
whoever built the image get in by accident; others are left as a way back.

Delete the file in the step that makes it; use `docker exec` or `kubectl exec` to look inside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.telling import SHOWN, layer, printable
from mooring.contract import Finding
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Entry, Filesystem

_NAME = re.compile(r".*/\.ssh/authorized_keys2?|/etc/ssh/authorized_keys(/.*|\.d/.*)?|/etc/dropbear/authorized_keys")
_EXAMPLE = "ssh-ed25519 AAAA ci@build\n"


@rule(
    "IMG-SAFE-09",
    level=SHOULD,
    good=(
        Example(
            "an empty authorized_keys", image=image("a", files={"/home/me/.ssh/authorized_keys": "# none\n"}), steps=()
        ),
    ),
    bad=(
        Example(
            "COPY id.pub /home/me/.ssh/authorized_keys",
            image=image("a", files={"/home/me/.ssh/authorized_keys": _EXAMPLE}),
            steps=(),
        ),
    ),
)
def authorised_keys(files: Filesystem, steps: tuple[str, ...]) -> Iterator[Finding]:
    """Files that hold at least one key."""
    found = [entry for entry in files.entries() if entry.kind is EntryKind.FILE and _NAME.fullmatch(entry.path)]
    for entry in [entry for entry in found if _holds_keys(files, entry)][:SHOWN]:
        path = printable(entry.path)
        yield Finding(
            message=f"{path} lets the owners of its keys in{layer(entry, steps)}",
            expected="no keys for SSH in the image",
            hint="delete it in the step that makes it",
            source=path,
        )


def _holds_keys(files: Filesystem, entry: Entry) -> bool:
    text = files.text(entry.path)
    if text is None:
        return entry.size > 0
    return any(line.strip() and not line.lstrip().startswith(b"#") for line in text.splitlines())
