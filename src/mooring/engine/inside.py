"""What is seen of a running container from outside: its memory, its first process, the files it changed."""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
from typing import TYPE_CHECKING

from mooring.engine import execution
from mooring.engine.probe import Answer, Outcome
from mooring.engine.translation import translated
from mooring.errors import MooringError

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

    from mooring.engine.docker import DockerEngine

# Names of the same thing, memory that belongs to processes and not to files: cgroup v1 with all below, v1, v2.
ANONYMOUS = ("total_rss", "rss", "anon")
HEALTHY = 200
UNAVAILABLE = 503
COUNTED = re.compile(r"^(\w+) ([0-9]{1,19})$", re.MULTILINE)
MASK = re.compile(r"^(Sig(?:Blk|Ign|Cgt)):\s*([0-9a-f]{1,16})$", re.MULTILINE)
STAT_HEADER = "X-Docker-Container-Path-Stat"


def memory_bytes(engine: DockerEngine, container: str) -> int | None:
    """Anonymous memory of all processes in the container, now; None where the engine does not count it."""
    with translated(f"container {container[:12]}"):
        told = engine.api.stats(container, stream=False, one_shot=True)
    counted = (told.get("memory_stats") or {}).get("stats") or dict(COUNTED.findall(engine.memory_counts(container)))
    return next((int(counted[name]) for name in ANONYMOUS if name in counted), None)


def handles(engine: DockerEngine, container: str, number: signal.Signals) -> bool | None:
    """Whether process 1 of the container does something about a signal; None when that cannot be seen.

    A handler is one way, the other to block the signal and wait for it, as small inits do. Process 1 has no default
    action: a signal without either is dropped by the kernel.
    """
    status = engine.status(container)
    masks = dict(_masks(status or ""))
    if "SigCgt" not in masks:
        return None
    bit = 1 << (number - 1)
    return bool((masks["SigCgt"] | masks.get("SigBlk", 0)) & bit and not masks.get("SigIgn", 0) & bit)


def _masks(status: str) -> Iterator[tuple[str, int]]:
    """The signal masks in proc(5)'s status; it may be the word of a program that makes it up."""
    for name, value in MASK.findall(status):
        yield name, int(value, 16)


def send(engine: DockerEngine, container: str, number: signal.Signals) -> None:
    """Send process 1 of the container a signal; Conflict when the container does not run."""
    with translated(f"container {container[:12]}"):
        engine.api.kill(container, signal=number.name)


def run_health_command(engine: DockerEngine, container: str, command: str, *, timeout_seconds: float) -> Answer:
    """Run a health command in the container, as its user, through its shell; exit code 0 is the answer 200, else 503.

    SILENT when it has not ended in time; it is left to itself then, as probes leave it.
    """
    done: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put(_ran(engine, container, command, timeout_seconds))
        except MooringError as error:
            done.put(Answer(Outcome.CLOSED, detail=error.message))

    # The engine itself may take its time.
    threading.Thread(target=run, daemon=True).start()
    try:
        return done.get(timeout=timeout_seconds)
    except queue.Empty:
        return _silent(timeout_seconds)


def _ran(engine: DockerEngine, container: str, command: str, timeout_seconds: float) -> Answer:
    words = ["/bin/sh", "-c", command]
    ran = execution.run(engine.api, container, words, timeout_seconds=timeout_seconds)
    if ran.exit_code is None:
        return _silent(timeout_seconds)
    said = ran.written.decode("utf-8", "replace").strip()
    body = said if ran.exit_code == 0 else f"exit code {ran.exit_code}{': ' if said else ''}{said}"
    return Answer(Outcome.ANSWERED, status=HEALTHY if ran.exit_code == 0 else UNAVAILABLE, body=body)


def _silent(seconds: float) -> Answer:
    return Answer(Outcome.SILENT, detail=f"no end within {seconds:g} s")


def changed_files(engine: DockerEngine, container: str) -> tuple[str, ...]:
    """The paths that the container made or changed on top of its image, folders among them."""
    with translated(f"container {container[:12]}"):
        changes = engine.api.diff(container) or ()
    deleted = 2
    return tuple(str(change["Path"]) for change in changes if change["Kind"] != deleted)


def file_bytes(engine: DockerEngine, container: str, path: str) -> int | None:
    """The size of a regular file in the container; None for what is none."""
    api = engine.api
    url = f"{api.base_url}/v{api.api_version}/containers/{container}/archive"
    with translated():
        answer = api.head(url, params={"path": path}, timeout=api.timeout)
    told = answer.headers.get(STAT_HEADER)
    if not answer.ok or not told:
        return None
    stat = json.loads(base64.b64decode(told))
    # Go's file mode: whatever is not regular has a bit above the nine of permissions and the three of setuid and kin.
    special = int(stat["mode"]) & 0x8F280000
    return None if special else int(stat["size"])
