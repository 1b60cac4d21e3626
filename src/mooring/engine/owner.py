"""The process that a container was started for, written down so that others can tell when it is gone."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")


@dataclass(frozen=True)
class Owner:
    """One process: the machine and its boot, the process table it is in, its number and when it began."""

    node: str
    boot: str
    table: str
    pid: int
    began: str

    @classmethod
    def me(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(platform.node().replace("/", "-"), _boot(), _table(), pid, _began(pid))

    @classmethod
    def parse(cls, label: str) -> Self | None:
        """It as it was written; None for what is none."""
        parts = label.split("/")
        if len(parts) != len(asdict(cls("", "", "", 0, ""))) or not parts[3].isdigit():
            return None
        return cls(parts[0], parts[1], parts[2], int(parts[3]), parts[4])

    def __str__(self) -> str:
        return "/".join(map(str, asdict(self).values()))

    @property
    def is_gone(self) -> bool:
        """Whether it surely has ended. One of another machine or process table is none that we can judge."""
        if self.node != platform.node().replace("/", "-"):
            return False
        if self.boot != _boot():
            return True
        return self.table == _table() and not _lives(self)


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
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Clock ticks from the boot to the start of the process (proc(5), stat, field 22); "" when it is not seen."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field, the program's name, may hold blanks and brackets.
    return text.rpartition(")")[2].split()[19]
