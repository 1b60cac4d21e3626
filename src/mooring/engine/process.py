"""The process engine: a project's folder runs in processes of this machine, and no container engine is needed.

Each replica has a folder and a keeper (keeper.py), a small process of its own that outlives the platform. What a plain
process cannot have is left out: memory limits are kept by a watch that kills, cpu limits are not kept, and it sees the
files and the network that the platform sees.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine import processes
from mooring.engine.asking import Asker, http_answer
from mooring.engine.cause import Facts
from mooring.engine.diagnosis import diagnose
from mooring.engine.local_command import run_local_command
from mooring.engine.names import is_name, require_name
from mooring.engine.probe import Answer, Outcome
from mooring.engine.process_folder import ReplicaFolder, fill
from mooring.engine.process_log import LogReader, last_lines
from mooring.engine.sockets import Listener
from mooring.engine.workload import Probe, State, Usage
from mooring.errors import Invalid, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from mooring.engine.workload import LogLine, Workload, WorkloadSighting

KEEPER = Path(__file__).with_name("keeper.py")
LOG_BYTES = 20 << 20
START_SECONDS = 60.0
# For a keeper to kill what has not ended, and to write that down.
LAST_SECONDS = 15.0
POLL_SECONDS = 0.02
FOLLOW_SECONDS = 0.2
# Folders in the making and in the unmaking begin with a dot; older ones were left behind by who was killed.
LEFT_SECONDS = 300.0
TAIL_LINES = 50


class ProcessEngine:
    """The replicas of one platform, in `folder/PLATFORM/NAME`; `log_bytes` is what the log of each may take."""

    name = "process"

    def __init__(self, platform_id: str, folder: Path, *, log_bytes: int = LOG_BYTES) -> None:
        self.platform_id = require_name(platform_id)
        self._root = folder.absolute() / platform_id
        self._log_bytes = log_bytes
        self._asker = Asker()
        # Only to say more when asked why it is not well.
        self._last_asked: dict[str, tuple[Probe, Answer]] = {}

    async def apply(self, workload: Workload) -> None:
        """As the promise has it.

        Raises:
            NotFound: there is no such project.
            Refused: it is an image.
            Invalid: its name is none, or it has no command.
            Unavailable: its folder cannot be written, or no process can be started.
        """
        _require_runnable(workload)
        await self._asker.run(lambda: self._apply(workload))

    def _apply(self, workload: Workload) -> None:
        final = self._root / workload.name
        if final.exists():
            return
        new = None
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            new = Path(tempfile.mkdtemp(prefix=".new-", dir=self._root))
            fill(new, final, workload, self._log_bytes)
            _start_keeper(new, final)
        except OSError as error:
            raise Unavailable(
                f"cannot start {workload.name}: {error.strerror or error}", hint=f"look at {self._root}"
            ) from error
        finally:
            if new is not None:
                shutil.rmtree(new, ignore_errors=True)  # it has its final name by now, or is not needed

    async def remove(self, name: str, *, grace_seconds: float) -> None:
        """As the promise has it: SIGTERM goes to the first process, as in a container, SIGKILL to all of them."""
        replica = self._known(name)
        self._last_asked.pop(name, None)
        if replica is None:
            return
        await self._asker.run(lambda: replica.ask_to_stop(grace_seconds))
        deadline = time.monotonic() + grace_seconds + LAST_SECONDS
        keeper = replica.keeper
        if keeper.is_running_here():
            _signal(keeper.pid, signal.SIGTERM)
        while keeper.is_running_here():
            if time.monotonic() > deadline:
                _signal(keeper.pid, signal.SIGKILL)
            await asyncio.sleep(POLL_SECONDS)
        await self._asker.run(lambda: self._clear(replica.path))

    def _clear(self, path: Path) -> None:
        replica = ReplicaFolder(path)
        if "exit_code" not in replica.state:
            processes.kill_marked(replica.mark)
        gone = path.with_name(f".gone-{path.name}-{os.getpid()}-{time.monotonic_ns()}")
        with contextlib.suppress(FileNotFoundError):
            path.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what was left behind half-made or half-removed."""
        for entry in os.scandir(self._root):
            with contextlib.suppress(FileNotFoundError):
                if entry.name.startswith(".") and time.time() - entry.stat().st_ctime > LEFT_SECONDS:
                    shutil.rmtree(entry.path, ignore_errors=True)

    async def observe(self) -> Mapping[str, WorkloadSighting]:
        """As the promise has it."""
        return await self._asker.run(lambda: {one.name: one.sighting() for one in self._replicas()})

    def _replicas(self) -> list[ReplicaFolder]:
        try:
            names = sorted(entry.name for entry in os.scandir(self._root) if is_name(entry.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable(f"cannot read {self._root}: {error.strerror}") from error
        found = [ReplicaFolder(self._root / name) for name in names]
        # What cannot be read is there all the same, ended, unless it was just removed.
        return [one for one in found if one.state or one.path.exists()]

    async def ask(self, name: str, probe: Probe) -> Answer:
        """As the promise has it; a command runs in the project's folder, with the server's environment."""
        replica = self._require(name)
        answer = await self._asker.run(lambda: self._ask(replica, probe))
        self._last_asked[name] = probe, answer
        return answer

    def _ask(self, replica: ReplicaFolder, probe: Probe) -> Answer:
        seen = replica.sighting()
        if not seen.url:
            return Answer(Outcome.REFUSED, detail=seen.why or "it is being started")
        if not probe.command:
            return http_answer(seen.url, probe)
        return run_local_command(
            probe.command,
            folder=replica.workload["project"],
            env=replica.environment(),
            timeout_seconds=probe.timeout_seconds,
        )

    async def measure(self) -> Mapping[str, Usage]:
        """As the promise has it: over a quarter of a second, all processes of each replica together."""
        return await self._asker.run(self._measure)

    def _measure(self) -> dict[str, Usage]:
        running = {one.keeper.pid: one for one in self._replicas() if one.sighting().url}
        figures = processes.used(processes.families(running)) if running else {}
        return {
            running[pid].name: Usage(
                cpu_cores=figure.cpu_cores,
                memory_bytes=figure.memory_bytes,
                cpu_cores_limit=running[pid].workload["cpu_cores"],
                memory_bytes_limit=running[pid].workload["memory_bytes"],
            )
            for pid, figure in figures.items()
        }

    async def logs(self, name: str, *, since: datetime | None = None, follow: bool = False) -> AsyncIterator[LogLine]:
        """As the promise has it."""
        replica = self._require(name)
        with LogReader(replica.path, since) as reader:
            while True:
                # Looked at before reading: what it wrote last must not be missed.
                over = not follow or not replica.keeper.is_running_here()
                while lines := await self._asker.run(reader.lines):
                    for line in lines:
                        yield line
                if over:
                    return
                await asyncio.sleep(FOLLOW_SECONDS)

    async def diagnose(self, name: str) -> str:
        """As the promise has it."""
        replica = self._require(name)
        return await self._asker.run(lambda: self._diagnose(replica))

    def _diagnose(self, replica: ReplicaFolder) -> str:
        seen = replica.sighting()
        probe, answer = self._last_asked.get(replica.name) or (Probe(), None)
        if seen.url:
            answer = self._ask(replica, probe)
        if answer is not None and answer.ok and seen.state is not State.EXITED:
            return ""
        if seen.state is State.STARTING:
            return "it is being started"
        return str(diagnose(_facts(replica, seen, probe, answer)))

    async def close(self) -> None:
        """Let go of the threads; what runs, runs on."""
        self._asker.close()

    def _known(self, name: str) -> ReplicaFolder | None:
        replica = ReplicaFolder(self._root / name) if is_name(name) else None
        return replica if replica and replica.path.exists() else None

    def _require(self, name: str) -> ReplicaFolder:
        replica = self._known(name)
        if replica is None:
            raise NotFound(f"there is no workload {name!r}")
        return replica


def _require_runnable(workload: Workload) -> None:
    require_name(workload.name)
    if not workload.project:
        raise Refused(
            f"the process engine runs projects, and {workload.image or 'this'} is an image",
            hint="import the project's folder, or start the platform with --engine docker",
        )
    if not Path(workload.project).is_dir():
        raise NotFound(f"there is no project {workload.project}", hint="was its folder moved or removed?")
    if not workload.command:
        raise Invalid(f"{workload.name} has no command, and a project's folder does not say how it is served")


def _start_keeper(new: Path, final: Path) -> None:
    """Start one and wait until it has claimed the folder, or has found it claimed by another."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(KEEPER), str(new), str(final)],
        cwd="/",
        env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        timeout=START_SECONDS,
        check=False,
    )
    if done.returncode and not final.exists():
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise OSError(said[-1] if said else f"its keeper ended with {done.returncode}")


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _facts(replica: ReplicaFolder, seen: WorkloadSighting, probe: Probe, answer: Answer | None) -> Facts:
    running = seen.state is not State.EXITED
    port = replica.state.get("port", 0)
    family = processes.families([replica.keeper.pid])[replica.keeper.pid] if running else []
    # Here the loopback is where it is to be reached; the judges know containers, in which it is not.
    open_to_us = tuple(
        Listener(one.port, "0.0.0.0") if one.port == port else one  # noqa: S104 - nothing is bound to it
        for one in processes.listening(family)
    )
    return Facts(
        port=port,
        protocol=replica.workload.get("protocol", "http"),
        health_url=probe.url or "/",
        health_command=probe.command,
        waited_seconds=(datetime.now(UTC) - seen.started_at).total_seconds() if seen.started_at else 0.0,
        exit_code=seen.exit_code,
        oom_killed=bool(replica.state.get("oom_killed")),
        memory_bytes=replica.workload.get("memory_bytes") or 0,
        start_error=replica.state.get("start_error", ""),
        log_tail=last_lines(replica.path, TAIL_LINES),
        listeners=open_to_us if running else None,
        answers=(answer,) if answer else (),
    )
