"""Nothing waits in the image to be started by a clock.

A container runs one server; nobody looks after a schedule in it, which is why miners and back doors are entered there.
Where no cron runs, an entry that the application needs is never started either, and nobody is told.

Start what must be done regularly from outside, or from the server itself, and leave crontabs out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.command.bases import image
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.telling import SHOWN, layer, printable
from mooring.checks.scanning.usual import usual
from mooring.contract import Finding
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Entry, Filesystem

_PLACES = re.compile(
    r"/etc/cron\.(d|hourly|daily|weekly|monthly)/[^/]+|/var/spool/cron/(crontabs/|tabs/)?[^/]+|/etc/crontabs/[^/]+"
)
_ORDER = re.compile(r"\s*(?:[\d*][\d*/,-]*\s+|@\w+\s)")
_PARTS = re.compile(r"run-parts|/usr/sbin/anacron|/etc/cron\.(hourly|daily|weekly|monthly)")


@rule(
    "IMG-SAFE-08",
    level=SHOULD,
    good=(
        Example(
            "/etc/cron.daily/apt-compat",
            image=image("a", files={"/etc/cron.daily/apt-compat": "#!/bin/sh\n"}),
            steps=(),
        ),
    ),
    bad=(
        Example(
            "/etc/cron.d/update",
            image=image("a", files={"/etc/cron.d/update": "*/5 * * * * root /opt/update\n"}),
            steps=(),
        ),
    ),
)
def cron_entries(files: Filesystem, steps: tuple[str, ...]) -> Iterator[Finding]:
    """Files in the folders of schedules that no distribution brings, and orders of one's own in /etc/crontab."""
    found = [entry for entry in files.entries() if _is_entry(entry, files)]
    for entry in found[:SHOWN]:
        path = printable(entry.path)
        yield Finding(
            message=f"{path} holds orders for cron{layer(entry, steps)}",
            expected="no schedule in the image",
            hint="start it from outside, or from the server, and leave the file out",
            source=path,
        )
    if len(found) > SHOWN:
        yield Finding(message=f"and {len(found) - SHOWN} more of the kind")


def _is_entry(entry: Entry, files: Filesystem) -> bool:
    if entry.kind not in {EntryKind.FILE, EntryKind.SYMLINK, EntryKind.HARD_LINK}:
        return False
    if entry.path == "/etc/crontab":
        return any(_ORDER.match(line) and not _PARTS.search(line) for line in _lines(files, entry.path))
    if not _PLACES.fullmatch(entry.path) or entry.path.rpartition("/")[2] in usual("cron"):
        return False
    # Alpine's crontab of root only runs the folders.
    if entry.path.startswith(("/etc/crontabs/", "/var/spool/cron/")) and (lines := _lines(files, entry.path)):
        return any(_ORDER.match(line) and not _PARTS.search(line) for line in lines)
    return True


def _lines(files: Filesystem, path: str) -> list[str]:
    return (files.text(path) or b"").decode("utf-8", "replace").splitlines()
