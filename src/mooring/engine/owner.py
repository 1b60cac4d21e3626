"""The process that a container was started for, written down so that others can tell when it is gone."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
# With all else it has to fit into an image's tag: 128 characters.
NODE_CHARACTERS = 32
# States of a process of which only the entry in the table is left (proc(5), stat, field 3).
ENDED = ("Z", "X", "x")


@dataclass(frozen=True)
class Owner:
    """One process: the machine and its boot, the process table it is in, its number and when it began.

    Written it is fit for a label and for an image's tag: letters, digits, dashes, and dots between the parts.
    """

    node: str
    boot: str
    table: str
    pid: int
    began: str

    @classmethod
    def me(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(_node(), _boot(), _table(), pid, _began(pid))

    @classmethod
    def parse(cls, written: str) -> Self | None:
        """It as it was written; None for what is none."""
        found = re.fullmatch(r"([\w-]*)\.([\w-]*)\.(\d*)\.(\d{1,10})\.(\d*)", written, re.ASCII)
        return cls(found[1], found[2], found[3], int(found[4]), found[5]) if found else None

    def __str__(self) -> str:
        return ".".join(map(str, asdict(self).values()))

    def is_gone(self, *, here: bool) -> bool:
        """Whether it surely has ended. One of another machine or process table is none that we can judge.

        `here` tells that it wrote to something of this machine. Elsewhere another boot may well be another machine of
        the same name, as many are called localhost.
        """
        if self.node != _node():
            return False
        if self.boot != _boot():
            return here
        return self.table == _table() and not _lives(self)

    def is_running_here(self) -> bool:
        """Whether it surely runs in this process table, as one does that this machine started since its boot."""
        return bool(self.began) and (self.boot, self.table) == (_boot(), _table()) and _lives(self)


def _node() -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", platform.node()).strip("-")[:NODE_CHARACTERS] or "nameless"


def _lives(owner: Owner) -> bool:
    if owner.began:
        return _began(owner.pid) == owner.began
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _table() -> str:
    try:
        return "".join(filter(str.isdigit, str((PROC / "self/ns/pid").readlink())))
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Clock ticks from the boot to the start of the process (proc(5), stat, field 22).

    "" when it is not seen, or has ended and nobody has asked how (a zombie).
    """
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field, the program's name, may hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in ENDED else fields[19]
