"""No program brings rights of its own along, as a file capability.

A file capability gives whoever starts the program a part of root's rights: to open any port, to read any file.
Platforms run images without these rights, and then the kernel refuses to start the program at all (`Operation not
permitted`).

`setcap -r FILE`, and a port above 1023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.telling import SHOWN, layer, printable
from mooring.checks.scanning.usual import usual
from mooring.contract import Finding
from mooring.image import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem


class _Tree:
    """The one question the rule asks of a tree; an archive with capabilities is more than an example should hold."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = entries

    def entries(self) -> Iterator[Entry]:
        """Every path."""
        return iter(self._entries)


@rule(
    "IMG-SAFE-06",
    level=SHOULD,
    good=(Example("ping", files=_Tree(Entry(path="/usr/bin/ping", mode=0o755, capabilities=True)), steps=()),),
    bad=(
        Example(
            "RUN setcap cap_net_bind_service=+ep /usr/bin/python3.11",
            files=_Tree(Entry(path="/usr/bin/python3.11", mode=0o755, capabilities=True)),
            steps=("RUN setcap cap_net_bind_service=+ep /usr/bin/python3.11",),
        ),
    ),
)
def suid_capabilities(files: Filesystem, steps: tuple[str, ...]) -> Iterator[Finding]:
    """Whatever the capability: which one it is does not change that it is refused."""
    found = [
        entry
        for entry in files.entries()
        if entry.kind is EntryKind.FILE
        and entry.capabilities
        and entry.path.rpartition("/")[2] not in usual("capabilities")
    ]
    for entry in found[:SHOWN]:
        path = printable(entry.path)
        yield Finding(
            message=f"{path} has file capabilities{layer(entry, steps)}",
            expected="programs without rights of their own",
            hint=f"RUN setcap -r {path}",
            source=path,
        )
    if len(found) > SHOWN:
        yield Finding(message=f"and {len(found) - SHOWN} more of the kind")
