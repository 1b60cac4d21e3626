"""As whom an image's processes run, and what that user may do with a file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.command.whole import whole

if TYPE_CHECKING:
    from mooring.image.filesystem import Entry, Filesystem
    from mooring.image.image import ImageConfig

READ, EXECUTE = 4, 1


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The USER of an image. `uid` and `gid` are None where a name stands in no file of the image; `home` may be "".

    `missing` is that name, "" where nothing is missing.
    """

    uid: int | None
    gid: int | None
    groups: frozenset[int] = field(default_factory=frozenset)
    home: str = ""
    missing: str = ""

    def may(self, entry: Entry, what: int) -> bool:
        """Whether the mode of the entry allows READ or EXECUTE; yes, where it is not known who asks."""
        if self.uid is None:
            return True
        if self.uid == 0:
            return what == READ or bool(entry.mode & 0o111)
        if entry.uid == self.uid:
            return bool(entry.mode >> 6 & what)
        inside = entry.gid == self.gid or entry.gid in self.groups
        return bool(entry.mode >> 3 & what) if inside else bool(entry.mode & what)

    def may_reach(self, path: str, files: Filesystem) -> bool:
        """Whether every folder above the path lets this user through."""
        folder = posixpath.dirname(path)
        while folder != "/":
            entry = files.resolve(folder)
            if entry is not None and self.uid != 0 and not self.may(entry, EXECUTE):
                return False
            folder = posixpath.dirname(folder)
        return True


def identity(config: ImageConfig, files: Filesystem) -> Identity:
    """As whom a container of the image runs."""
    name, _, group = config.user.partition(":")
    row = _row(_table(files, "/etc/passwd"), name or "0")
    uid = whole(row[2] if row else name or "0")
    if uid is None:
        return Identity(uid=None, gid=None, missing=name)
    gid = _group(files, group)
    if group and gid is None:
        return Identity(uid=uid, gid=None, missing=group, home=_home(row))
    own = (whole(row[3]) if row else None) or 0
    member = row[0] if row else name
    groups = frozenset(
        number
        for each in _table(files, "/etc/group")
        if len(each) > 3  # noqa: PLR2004 - name:x:gid:members
        and member in each[3].split(",")
        and (number := whole(each[2])) is not None
    )
    return Identity(uid=uid, gid=own if gid is None else gid, groups=groups, home=_home(row))


def _group(files: Filesystem, name: str) -> int | None:
    row = _row(_table(files, "/etc/group"), name) if name else None
    return whole(row[2] if row else name)


def _home(row: list[str] | None) -> str:
    return row[5] if row and len(row) > 5 else ""  # noqa: PLR2004 - name:x:uid:gid:comment:home:shell


def _table(files: Filesystem, path: str) -> list[list[str]]:
    text = (files.text(path) or b"").decode("utf-8", "replace")
    return [line.split(":") for line in text.splitlines() if line and not line.startswith("#")]


def _row(table: list[list[str]], who: str) -> list[str] | None:
    """By name, or by number as the engine looks it up; rows that are no rows do not count."""
    for row in table:
        if len(row) > 2 and whole(row[2]) is not None and who in (row[0], row[2]):  # noqa: PLR2004 - name:x:number
            return row if len(row) > 3 else None  # noqa: PLR2004 - and one more field, in both files
    return None
