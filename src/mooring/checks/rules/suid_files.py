"""No program takes on another user's rights that need not.

A program with the suid or sgid bit runs with its owner's rights whoever starts it; one hole in it makes root of a
visitor. Distributions ship a dozen that are looked after; more, or one in a folder of the application, is how a way
back in is left open. Under `no new privileges`, as platforms run images, the bit does nothing but harm.

`chmod u-s,g-s FILE` in the step that brings it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.telling import SHOWN, layer, printable
from mooring.checks.scanning.usual import usual
from mooring.contract import Finding
from mooring.image import EntryKind, File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem

_SUID_SGID, _EXECUTABLE = 0o6000, 0o111
_HOMES = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/", "/lib/", "/lib64/")


@rule(
    "IMG-SAFE-05",
    level=SHOULD,
    good=(
        Example("/usr/bin/passwd, mode 4755", image=image("a", files={"/usr/bin/passwd": File(mode=0o4755)}), steps=()),
    ),
    bad=(Example("/home/app/sh, mode 4755", image=image("a", files={"/home/app/sh": File(mode=0o4755)}), steps=()),),
)
def suid_files(files: Filesystem, steps: tuple[str, ...]) -> Iterator[Finding]:
    """Outside of the system's folders even the usual names are copies that nobody looks after."""
    found = [
        entry
        for entry in files.entries()
        if entry.kind is EntryKind.FILE
        and entry.mode & _SUID_SGID
        and entry.mode & _EXECUTABLE
        and not (entry.path.startswith(_HOMES) and entry.path.rpartition("/")[2] in usual("suid"))
    ]
    for entry in found[:SHOWN]:
        path = printable(entry.path)
        yield Finding(
            message=f"{path} runs with the rights of its owner {entry.uid}:{entry.gid} (mode {entry.mode:04o})"
            f"{layer(entry, steps)}",
            expected="no suid and sgid programs besides those of the distribution",
            hint=f"RUN chmod u-s,g-s {path}",
            source=path,
        )
    if len(found) > SHOWN:
        yield Finding(message=f"and {len(found) - SHOWN} more of the kind")
