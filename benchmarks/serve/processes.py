"""A server as a tree of processes: started, asked, weighed and always stopped again."""

import concurrent.futures
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
DEADLINE = 60.0  # seconds a server may take to give its first right answer


class Unfit(Exception):
    """A server that cannot be installed, does not start, or answers wrongly; the message is its row in the table."""


@dataclass(frozen=True)
class Ask:
    """One HTTP request: what is sent, and how the answer is read back."""

    path: str
    body: bytes
    content_type: str
    digit: Callable[[bytes], int]

    def send(self, port: int, *, timeout: float = 5.0) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        try:
            connection.request("POST", self.path, self.body, {"Content-Type": self.content_type})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@dataclass(frozen=True)
class Server:
    """A running server: its first process, its port, and the seconds from exec to its first right answer."""

    process: subprocess.Popen[bytes]
    port: int
    started_in: float

    def tree(self) -> list[int]:
        """Every process of the server: the session it was started in, and all descendants."""
        return list(_tree(self.process.pid))

    def cpu_seconds(self) -> float:
        """User plus system time so far, of the living and of the dead they have waited for."""
        fields = (_stat(pid) for pid in self.tree())
        return sum(sum(map(int, stat[11:15])) for stat in fields if stat) / TICK

    def memory_mib(self) -> float:
        """Proportional set size of all processes: shared pages counted once."""
        return sum(_pss_kib(pid) for pid in self.tree()) / 1024


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@dataclass(frozen=True)
class Start:
    """One start of one server: the command with its whole environment, its port, and where its output goes."""

    command: Sequence[str]
    env: Mapping[str, str]
    port: int
    log: Path


@contextlib.contextmanager
def running(start: Start, ask: Ask, *, expected: int) -> Iterator[Server]:
    """The server, once it has answered `ask` with the expected digit; stopped with all its children at the end."""
    with start.log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            start.command,
            env=dict(start.env),
            cwd=start.log.parent,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _first_answer(process, start, ask, expected=expected)
        yield Server(process, start.port, time.perf_counter() - began)
    finally:
        _stop(process)


def wait_of_a_get(server: Server, ask: Ask) -> float:
    """Seconds until a GET of the health url gets any answer at all, while `ask` is being predicted."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        predicting = pool.submit(ask.send, server.port)
        time.sleep(0.3)  # well inside the prediction's second
        began = time.perf_counter()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
            connection.request("GET", "/health")
            connection.getresponse().read()
        waited = time.perf_counter() - began
        predicting.result()
    return waited


def _first_answer(process: subprocess.Popen[bytes], start: Start, ask: Ask, *, expected: int) -> None:
    end = time.monotonic() + DEADLINE
    said = "nothing listened on its port"
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Unfit(f"ended with {process.returncode}: {_last_words(start.log)}")
        try:
            status, body = ask.send(start.port)
        except (OSError, http.client.HTTPException) as error:
            said = f"{type(error).__name__}: {error}"
        else:
            if status == 200:
                digit = ask.digit(body)
                if digit != expected:
                    raise Unfit(f"answered {digit}, the handler itself says {expected}")
                return
            said = f"answered {status}: {body[:200].decode(errors='replace')}"
            if status not in {502, 503, 404}:
                raise Unfit(said)
        time.sleep(0.005)
    raise Unfit(f"no right answer in {DEADLINE:.0f} s; last: {said}; {_last_words(start.log)}")


def _last_words(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"


def _stop(process: subprocess.Popen[bytes]) -> None:
    members = {pid: _born(pid) for pid in _tree(process.pid)}
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(3)
    # Whatever is left of it, orphans too: they kept the session of the first process, or are the same as before.
    for pid in {*members, *_tree(process.pid)}:
        if _stat(pid) and members.get(pid, _born(pid)) == _born(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    process.wait(10)


def _born(pid: int) -> str:
    """When a process began, in ticks since boot: with its number, who it is."""
    stat = _stat(pid)
    return stat[19] if stat else ""


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, ppid, pgrp, session, ...; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _tree(root: int) -> Iterator[int]:
    stats = {int(entry.name): _stat(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = {root}
    grew = True
    while grew:
        more = {p for p, stat in stats.items() if stat and (int(stat[3]) == root or int(stat[1]) in found)} - found
        grew = bool(more)
        found |= more
    yield from (pid for pid in found if stats.get(pid))


def _pss_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
