"""The folder of one replica of the process engine: what it was asked to be, and what its keeper says of it.

workload.json   what was asked for, written once
state.json      the keeper: which process it is, the server's port, and how the server ended
stop.json       by when it is to have ended (CLOCK_MONOTONIC), once somebody asked for that
log, log.1      what the server wrote
files/          the texts that came with the workload
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mooring.engine.keeper import read_json, write_json
from mooring.engine.owner import Owner
from mooring.engine.workload import State, WorkloadSighting
from mooring.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.engine.workload import Workload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KILLED = 137
FILES = "{files}/"
# Whose process a process is, in its environment: how those are found whose keeper was killed.
MARK = "MOORING_REPLICA"
# What of the platform's own environment a server gets; nothing that may be secret.
PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
# As in the images that are built from projects.
ALWAYS = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(frozen=True)
class ReplicaFolder:
    """One replica, as its folder tells it at the moment of asking."""

    path: Path

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.path.name

    @cached_property
    def workload(self) -> dict[str, Any]:
        """What it was asked to be."""
        return read_json(str(self.path / "workload.json"))

    @cached_property
    def state(self) -> dict[str, Any]:
        """What its keeper wrote last, as it was at the first look."""
        return read_json(str(self.path / "state.json"))

    @property
    def keeper(self) -> Owner:
        """The process that keeps it."""
        told = self.state.get("keeper") or {}
        return Owner("", told.get("boot", ""), told.get("table", ""), told.get("pid", 0), told.get("began", ""))

    @property
    def mark(self) -> str:
        """What its processes carry in their environment."""
        return f"{MARK}={self.path.parent.name}/{self.name}"

    def sighting(self) -> WorkloadSighting:
        """How it is."""
        ended = self._ended()
        seen = WorkloadSighting(
            name=self.name,
            labels=dict(self.workload.get("labels") or {}),
            state=State.EXITED if ended else State.STARTING,
            started_at=self._started_at(),
            exit_code=ended[0] if ended else None,
            why=ended[1] if ended else "",
        )
        if ended or "port" not in self.state:
            return seen
        state = State.STOPPING if (self.path / "stop.json").exists() else State.RUNNING
        return WorkloadSighting(**{**vars(seen), "state": state, "url": self.url})

    @property
    def url(self) -> str:
        """Where its server is."""
        return f"{self.workload.get('protocol', 'http')}://127.0.0.1:{self.state['port']}"

    def _ended(self) -> tuple[int, str] | None:
        if "exit_code" in self.state:
            return self.state["exit_code"], " ".join(self.state["why"].split())
        if self.keeper.is_running_here():
            return None
        # It may have ended after it was read above, with its last words written.
        self.__dict__.pop("state", None)
        if "exit_code" in self.state:
            return self.state["exit_code"], " ".join(self.state["why"].split())
        return KILLED, "its keeper was killed, or the machine stopped"

    def _started_at(self) -> datetime | None:
        started = self.state.get("started_us")
        return EPOCH + timedelta(microseconds=started) if started else None

    def ask_to_stop(self, grace_seconds: float) -> None:
        """Write down by when it is to have ended; the earliest of those who ask counts."""
        file = str(self.path / "stop.json")
        deadline = time.monotonic() + grace_seconds
        deadline = min(deadline, read_json(file).get("deadline", deadline))
        with contextlib.suppress(FileNotFoundError):
            write_json(file, {"deadline": deadline})

    def environment(self) -> dict[str, str]:
        """What its server has for an environment, and its health command, too."""
        address = {"MOORING_HOST": "127.0.0.1", "MOORING_PORT": str(self.state.get("port", ""))}
        return {**self.workload["env"], **address}


def fill(folder: Path, final: Path, workload: Workload, log_bytes: int) -> None:
    """Write into a new folder what the keeper needs; `final` is the name that it will get."""
    for name, text in workload.files.items():
        if "/" in name or name.startswith("."):
            raise Refused(f"{name!r} cannot be the name of a workload's file", hint="config.json would be one")
        (folder / "files").mkdir(exist_ok=True)
        _write_private(folder / "files" / name, text)
    files = f"{final / 'files'}/"
    mark = f"{final.parent.name}/{final.name}"
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    asked = asdict(workload) | {
        "command": [files + word[len(FILES) :] if word.startswith(FILES) else word for word in workload.command],
        "env": {**passed_on, **ALWAYS, **workload.env, MARK: mark},
        "files": sorted(workload.files),
        "log_bytes": log_bytes,
        "umask": _umask(),
    }
    _write_private(folder / "workload.json", json.dumps(asked))


def _write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600, exist_ok=False)
    file.write_text(text, encoding="utf-8")


def _umask() -> int:
    """This process's, without changing it (proc(5), status)."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123 - /proc is read as it comes
        told = next((line for line in file if line.startswith("Umask:")), "Umask: 0022")
    return int(told.split()[1], 8)
