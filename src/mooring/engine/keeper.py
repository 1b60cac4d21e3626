"""Keeps one server of the process engine: a program of its own, so that the server outlives the platform.

`python -I -S keeper.py NEW FOLDER`: NEW holds `workload.json`; when the keeper is up it renames it to FOLDER, and of
several keepers only one can. From then on it runs the server, writes its lines down and says in `state.json` how it is.
`stop.json` and SIGTERM ask it to end the server: SIGTERM to the server's first process, as in a container, and SIGKILL
to all of its processes at the deadline. It needs the standard library only, and little of that: it starts in the time
of a bare Python and stays small. When it is killed, the kernel kills the server (PR_SET_PDEATHSIG).

It is one file, longer than others, because it runs without the package around it: importing that takes far longer.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import select
import signal
import socket
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LOST = 3
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128
LINE_BYTES = 64 << 10
WATCH_SECONDS = 1.0
PORT_TRIES = 5
# What takes longer to end did not end because its port was taken.
PORT_SECONDS = 30.0
DRAIN_SECONDS = 2.0
REAP_SECONDS = 5.0
LIBC = ctypes.CDLL(None)
NEVER = float("inf")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def read_json(path: str) -> dict[str, Any]:
    """What a file holds; nothing when there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError):
        return {}


def write_json(path: str, value: dict[str, Any]) -> None:
    """Write a file that is always whole."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".new", path)


class Log:
    """Lines with their times, `MICROSECONDS o|e TEXT`, in two files of at most half of what is allowed."""

    def __init__(self, path: str, limit_bytes: int) -> None:
        self._path = path
        self._half = max(limit_bytes // 2, LINE_BYTES)
        self._file = self._open()
        self._last = 0
        self._lost = 0
        self._parts = {"o": b"", "e": b""}

    def take(self, stream: str, data: bytes) -> None:
        """What came from a stream; `b""` at its end."""
        *lines, rest = (self._parts[stream] + data).split(b"\n")
        while len(rest) >= LINE_BYTES or (rest and not data):
            lines.append(rest[:LINE_BYTES])
            rest = rest[LINE_BYTES:]
        self._parts[stream] = rest
        told = self._told_lost() if lines else b""
        self._write(told + b"".join(self._line(stream, line) for line in lines))

    def _line(self, stream: str, text: bytes) -> bytes:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return b"%d %s %s\n" % (self._last, stream.encode(), text.removesuffix(b"\r"))

    def _told_lost(self) -> bytes:
        return self._line("e", b"(%d bytes of log could not be written)" % self._lost) if self._lost else b""

    def _write(self, data: bytes) -> None:
        """A full disk costs lines, and not the server."""
        if not data:
            return
        at = os.lseek(self._file, 0, os.SEEK_END)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            self._lost += len(data)
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, at)
            return
        self._lost = 0
        if os.lseek(self._file, 0, os.SEEK_END) > self._half:
            with contextlib.suppress(OSError):
                os.replace(self._path, self._path + ".1")
                os.close(self._file)
                self._file = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def stat_fields(pid: int | str) -> list[str]:
    """The fields of proc(5)'s stat from the third on: state, parent, ...; none when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def descendants() -> list[int]:
    """All processes below this one that have not ended."""
    below: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        fields = stat_fields(name) if name.isdigit() else []
        if fields and fields[0] not in "ZX":
            below.setdefault(int(fields[1]), []).append(int(name))
    found = [os.getpid()]
    for pid in found:
        found += below.get(pid, ())
    return found[1:]


def memory_bytes(pid: int) -> int:
    """What a process holds that is in no file (proc(5), status: RssAnon and RssShmem)."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            told = [line.split() for line in file if line.startswith(("RssAnon:", "RssShmem:"))]
    except OSError:
        return 0
    return sum(int(words[1]) << 10 for words in told)


def me() -> dict[str, Any]:
    """This process, so that others can tell when it is gone."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    table = "".join(filter(str.isdigit, os.readlink("/proc/self/ns/pid")))
    return {"boot": boot, "table": table, "pid": os.getpid(), "began": stat_fields("self")[19]}


class Keeper:
    """One server, from its start to its end."""

    def __init__(self, folder: str, workload: dict[str, Any], state: dict[str, Any]) -> None:
        self.folder = folder
        self.workload = workload
        self.state = state
        self.server = 0
        self.status: int | None = None
        self.why = ""
        self.log = Log(f"{folder}/log", workload["log_bytes"])
        self.poll = select.poll()
        self.streams: dict[int, str] = {}
        self.told_to_end = False
        self.deadline = NEVER
        self.next_watch = 0.0
        self.wakes, wake = os.pipe()
        for end in (self.wakes, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.poll.register(self.wakes, select.POLLIN)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        if number != signal.SIGCHLD and self.deadline == NEVER:
            self.deadline = time.monotonic() + self.workload["stop_seconds"]

    def keep(self) -> None:
        """Run the server, on another port if its own was taken in the meantime, and say how it ended."""
        for _ in range(PORT_TRIES):
            began = time.monotonic()
            with self._reserved() as port:
                self._start(port)
                while self.server and self.status is None:
                    self._turn()
                self._end_rest()
                retry = self.status not in (None, 0) and time.monotonic() - began < PORT_SECONDS
                if self.told_to_end or not (retry and self._is_taken(port)):
                    break
        self.state.update(self._ending())
        self._say()

    @contextlib.contextmanager
    def _reserved(self) -> Iterator[int]:
        """A free port, kept from all who ask for any; who asks for this one with SO_REUSEADDR gets it."""
        with socket.socket() as ours:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            ours.bind(("127.0.0.1", 0))
            yield ours.getsockname()[1]

    def _is_taken(self, port: int) -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def _start(self, port: int) -> None:
        outs, errs, failed = os.pipe(), os.pipe(), os.pipe()
        self.status = None
        self.server = os.fork()
        if self.server == 0:
            self._become_server(port, outs[1], errs[1], failed[1])
        for end in (outs[1], errs[1], failed[1]):
            os.close(end)
        for end, stream in ((outs[0], "o"), (errs[0], "e")):
            self.streams[end] = stream
            self.poll.register(end, select.POLLIN)
        problem = os.read(failed[0], 4096).decode("utf-8", "replace")
        os.close(failed[0])
        if problem:
            self.state["start_error"] = problem
        else:
            self.state.update(port=port, server=self.server, started_us=time.time_ns() // 1000)
            self._say()

    def _become_server(self, port: int, out: int, err: int, failed: int) -> None:
        command, code = self.workload["command"], NOT_FOUND
        try:
            os.setsid()
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.state["keeper"]["pid"]:
                return  # it was killed before the kernel knew what to do then
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.umask(self.workload["umask"])
            os.chdir(self.workload["project"])
            env = {**self.workload["env"], "MOORING_HOST": "127.0.0.1", "MOORING_PORT": str(port)}
            os.execvpe(command[0], command, env)  # noqa: S606 - no shell is wanted
        except OSError as error:
            code = NOT_EXECUTABLE if error.errno in (errno.EACCES, errno.ENOEXEC) else NOT_FOUND
            os.write(failed, f"exec: {command[0]}: {error.strerror}".encode())
        finally:
            os._exit(code)

    def _turn(self) -> None:
        """Wait for something to happen, and do what it asks for."""
        self._stop_if_asked()
        self._watch_memory()
        for end, _ in self.poll.poll(self._wait_seconds() * 1000):
            if end == self.wakes:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wakes, 4096)
            else:
                self._read(end)
        self._reap()

    def _wait_seconds(self) -> float:
        until = min(self.deadline, self.next_watch if self.workload["memory_bytes"] else NEVER)
        return max(0.0, min(until - time.monotonic(), 3600.0)) + 0.001

    def _read(self, end: int) -> None:
        data = os.read(end, LINE_BYTES)
        self.log.take(self.streams[end], data)
        if not data:
            self.poll.unregister(end)
            os.close(end)
            del self.streams[end]

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.server:
                    self.status = ended[1]

    def _stop_if_asked(self) -> None:
        asked = read_json(f"{self.folder}/stop.json").get("deadline")
        if asked is not None:
            self.deadline = min(self.deadline, asked)
        if self.deadline == NEVER:
            return
        if not self.told_to_end:
            self.told_to_end = True
            os.kill(self.server, signal.SIGTERM)
        if time.monotonic() >= self.deadline:
            self.why = "SIGKILL: it had not ended by the end of its grace"
            self._end_rest()

    def _watch_memory(self) -> None:
        limit = self.workload["memory_bytes"]
        if not limit or time.monotonic() < self.next_watch:
            return
        self.next_watch = time.monotonic() + WATCH_SECONDS
        used = sum(map(memory_bytes, descendants()))
        if used > limit:
            self.why = f"out of memory: it used {used >> 20} MiB, its limit is {limit / 2**20:g} MiB"
            self.state["oom_killed"] = True
            self._end_rest()

    def _end_rest(self) -> None:
        """Kill whatever is left of it, and take in the last it wrote."""
        deadline = time.monotonic() + REAP_SECONDS
        while (left := descendants()) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.005)
        self._reap()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.streams and time.monotonic() < deadline:
            for end, _ in self.poll.poll(100):
                if end in self.streams:
                    self._read(end)
                else:
                    with contextlib.suppress(BlockingIOError):
                        os.read(end, 4096)

    def _ending(self) -> dict[str, Any]:
        code = os.waitstatus_to_exitcode(self.status) if self.status is not None else SIGNALLED + signal.SIGKILL
        why = self.why or str(self.state.get("start_error", "")) or f"exit code {code}"
        if code < 0:
            why, code = self.why or signal.Signals(-code).name, SIGNALLED - code
        return {"exit_code": code, "why": why}

    def _say(self) -> None:
        """Write down how it is; on a full disk the end of this process tells at least that it has ended."""
        with contextlib.suppress(OSError):
            write_json(f"{self.folder}/state.json", self.state)


def main(new: str, folder: str) -> int:
    """Become a process of nobody, claim the folder, and keep its server."""
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return 0 if os.read(told, 1) == b"y" else LOST
    os.close(told)
    os.setsid()
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    state = {"keeper": me()}
    write_json(f"{new}/state.json", state)
    workload = read_json(f"{new}/workload.json")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # who sends one has written stop.json, which is read first of all
    try:
        os.rename(new, folder)
    except OSError:
        return LOST
    keeper = Keeper(folder, workload, state)
    os.write(tell, b"y")
    os.close(tell)
    null = os.open(os.devnull, os.O_RDWR)
    for end in range(3):
        os.dup2(null, end)
    keeper.keep()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
