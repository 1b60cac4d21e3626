"""Run a command with a container engine: the one that answers, or else one of our own for as long as the command runs.

    with_engine.py COMMAND [ARGUMENT ...]

When Docker or Podman answers, COMMAND gets its address in DOCKER_HOST. Otherwise, as root on a Debian-like Linux, what
is missing is installed with apt, and `dockerd` is started with a data root, a socket and a bridge of its own; it
touches no firewall rule, and its containers reach this machine only. It is stopped at the end, with its containers;
its images stay in the user's cache for the next time. Two commands at once share it, and the last to end stops it.
Where none of this can be, COMMAND runs with the reason in MOORING_TEST_ENGINE_MISSING. The exit code is COMMAND's.
The programs of a PostgreSQL server are installed in the same manner when they are missing; the tests start their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine import DockerEngine
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = "MOORING_TEST_ENGINE_MISSING"
START_SECONDS = 60
STOP_SECONDS = 30
POLL_SECONDS = 0.1
# The kernel allows 107 bytes for a socket's path, and containerd adds its own to this folder's.
SOCKET_FOLDER_LIMIT = 50
LOG_LINES = 15


class CannotStartError(Exception):
    """Why there is no engine, for a person."""


def say(text: str) -> None:
    """Tell the person at the terminal, apart from the command's own output."""
    print(f"with_engine: {text}", file=sys.stderr, flush=True)


class OwnEngine:
    """A dockerd of ours; its folders are named by the user's cache, so that there is one a cache."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "mooring" / "engine"
        self.digest = hashlib.sha256(str(self.folder).encode()).hexdigest()
        run = self.folder / "run"
        self.run = run if len(str(run)) < SOCKET_FOLDER_LIMIT else Path("/tmp") / f"mooring-{self.digest[:8]}"  # noqa: S108 - a short path is the point; made with mode 700 below
        self.socket = self.run / "docker.sock"
        self.pidfile = self.run / "dockerd.pid"
        self.log = self.folder / "dockerd.log"
        self.bridge = f"mooring-{self.digest[:6]}"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Started, or shared with whoever started it; stopped by the last to leave."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "users").open("w") as users:
            try:
                with self._turn():
                    self._start()
                    fcntl.flock(users, fcntl.LOCK_SH)
                yield
            finally:
                with self._turn():
                    self._stop_unless_used(users.fileno())

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """One at a time starts or stops; the kernel frees the lock of whoever dies."""
        with (self.folder / "turn").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def _start(self) -> None:
        if self._pid() and self._answers():
            say(f"using our engine that runs already, {self.url}")
            return
        self._end_process()
        self._make_run_folder()
        self._make_bridge()
        say(f"starting dockerd; its images are kept in {self.folder}, its log is {self.log}")
        command = ["dockerd", "--data-root", str(self.folder / "data"), "--exec-root", str(self.run / "exec")]
        command += ["--host", self.url, "--pidfile", str(self.pidfile), "--bridge", self.bridge]
        command += ["--iptables=false", "--ip-masq=false", "--ip-forward=false"]
        command += ["--containerd-namespace", self.bridge, "--containerd-plugins-namespace", f"{self.bridge}-plugins"]
        with self.log.open("wb") as log:
            # A session of its own: a Ctrl-C is for the command first; dockerd is stopped when that has ended.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if (code := self.process.poll()) is not None or time.monotonic() > deadline:
                ended = f"is silent for {START_SECONDS} s" if code is None else f"ended with {code}"
                lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
                raise CannotStartError("\n  | ".join((f"dockerd {ended}; its last log lines:", *lines)))
            time.sleep(POLL_SECONDS)

    def _stop_unless_used(self, users: int) -> None:
        fcntl.flock(users, fcntl.LOCK_UN)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("leaving our engine to the others that use it")
            return
        if self._pid():
            say("stopping dockerd")
            with contextlib.suppress(MooringError), connected(self.url) as engine:
                for container in engine.containers():
                    engine.remove(container)
        self._end_process()
        self._remove_bridge()

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        with contextlib.suppress(MooringError), connected(self.url):
            return True
        return False

    def _pid(self) -> int:
        """The process id of our dockerd; 0 when it does not run (a number in an old file may be somebody else's)."""
        if self.process and self.process.poll() is None:
            return self.process.pid
        try:
            pid = int(self.pidfile.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return 0
        return pid if str(self.pidfile).encode() in command else 0

    def _end_process(self) -> None:
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
            deadline = time.monotonic() + seconds
            if pid := self._pid():
                os.kill(pid, number)
            while self._pid() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
        if not self._pid():
            shutil.rmtree(self.run, ignore_errors=True)

    def _make_run_folder(self) -> None:
        self.run.mkdir(mode=0o700, exist_ok=True)
        if self.run.is_symlink() or self.run.stat().st_uid != os.getuid():
            raise CannotStartError(f"{self.run} belongs to somebody else")

    def _make_bridge(self) -> None:
        """A bridge with a small network that no route of this machine mentions."""
        self._remove_bridge()
        second, third = 200 + int(self.digest[:2], 16) % 50, int(self.digest[2:4], 16)
        routes = Path("/proc/net/route").read_text(encoding="ascii")
        while f"{third:02X}{second:02X}0A" in routes:
            third = (third + 1) % 256
        for words in (
            ["link", "add", "name", self.bridge, "type", "bridge"],
            ["address", "add", f"10.{second}.{third}.1/24", "dev", self.bridge],
            ["link", "set", self.bridge, "up"],
        ):
            done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
            if done.returncode:
                raise CannotStartError(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def _remove_bridge(self) -> None:
        subprocess.run(["ip", "link", "delete", self.bridge], capture_output=True, check=False)


@contextlib.contextmanager
def connected(url: str | None = None) -> Iterator[DockerEngine]:
    """The engine at `url`, or at the usual addresses; Unavailable when it does not answer."""
    environ = {**os.environ, "DOCKER_HOST": url} if url else os.environ
    with DockerEngine.connect(environ) as engine:
        yield engine


def why_we_may_not_install() -> str:
    """Empty when apt is ours to use."""
    if sys.platform != "linux":
        return "an engine is only started on Linux"
    if os.getuid() != 0:
        return "an engine is only started for root"
    if not shutil.which("apt-get"):
        return "an engine is only installed on Debian and what derives from it"
    return ""


def install(programs: dict[str, tuple[str, ...]]) -> None:
    """Install, for each program that is missing, the first of its packages that apt knows."""
    missing = {program: packages for program, packages in programs.items() if not shutil.which(program)}
    if not missing:
        return
    if reason := why_we_may_not_install():
        raise CannotStartError(f"{', '.join(missing)} missing, and {reason}")
    if not all(any(_known(package) for package in packages) for packages in missing.values()):
        _apt("update")
    names = sorted({next(filter(_known, packages), packages[0]) for packages in missing.values()})
    try:
        _apt("install", "--yes", "--no-install-recommends", *names)
    except CannotStartError:  # the lists may be older than what the mirror still has
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *names)


def _known(package: str) -> bool:
    shown = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False).stdout
    return "Candidate:" in shown and "Candidate: (none)" not in shown


def _apt(*words: str) -> None:
    say(f"apt-get {' '.join(words)}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "-qq", *words],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotStartError(f"apt-get {' '.join(words)} failed:\n{done.stdout.strip()[-1000:]}")


def run(command: list[str], environ: dict[str, str]) -> int:
    """The command's exit code, as a shell gives it. A Ctrl-C reaches it from the terminal; a SIGTERM is passed on."""
    started: list[subprocess.Popen[bytes]] = []

    def pass_on(*_: object) -> None:
        for process in started:
            process.terminate()

    # From here on a signal is the command's to follow: it ends, and then so do we, in order.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGHUP, pass_on)
    started.append(subprocess.Popen(command, env={**os.environ, **environ}))
    code = started[0].wait()
    return code if code >= 0 else 128 - code


def leave(number: int, _frame: object) -> None:
    """Before the command has started, a signal ends us, by way of whatever there is to put in order."""
    sys.exit(128 + number)


def main(command: list[str]) -> int:
    """Find or make an engine, run the command, and leave the machine as it was."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    install_database()
    try:
        with connected() as engine:
            url = engine.address.url
    except MooringError as error:
        url, why = "", error.message
    if url:
        install_for_base_images()
        return run(command, {"DOCKER_HOST": url})
    if reason := why_we_may_not_install():
        say(f"{why}; {reason}")
        return run(command, {MISSING: f"{why}; {reason}"})
    say(why)
    try:
        return with_own_engine(command)
    except CannotStartError as error:
        say(str(error))
        return run(command, {MISSING: str(error).splitlines()[0]})


def install_for_base_images() -> None:
    """What makes base images; without it the command may still do most of its work."""
    try:
        install({"mmdebstrap": ("mmdebstrap",)})
    except CannotStartError as error:
        say(str(error))


def install_database() -> None:
    """A PostgreSQL server for the tests to start; without it the command may still do most of its work."""
    # Debian keeps the server's programs apart, by version, as several may run side by side.
    os.environ["PATH"] += "".join(f":{folder}" for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin")))
    try:
        install({"postgres": ("postgresql",)})
    except CannotStartError as error:
        say(str(error))


def with_own_engine(command: list[str]) -> int:
    """Install what is missing, start dockerd, run, stop."""
    install({"dockerd": ("docker.io",), "docker": ("docker-cli", "docker.io"), "ip": ("iproute2",)})
    install_for_base_images()
    own = OwnEngine(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"))
    with own.running():
        return run(command, {"DOCKER_HOST": own.url})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if sys.argv[1:] else __doc__)
