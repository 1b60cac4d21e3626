"""A PostgreSQL server of the tests' own, from Debian's package, gone when they are."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

START_SECONDS = 60
INSTALLED = "/usr/lib/postgresql"
PR_SET_PDEATHSIG = 1


class NoServerError(Exception):
    """Why there is none, for a person."""


class PostgresqlServer:
    """Reached by a socket only; `stop` and `start` are for tests of what happens when it is away."""

    def __init__(self):
        self.programs = _programs()
        # Not below pytest's folder, which another user may not enter; and a socket's path must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="mooring-postgresql-", dir="/tmp"))
        self.user = _unprivileged() if os.getuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user)
        self.process = None
        try:
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    def _make(self):
        words = ["--auth=trust", "--username=mooring", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [str(self.programs / "initdb"), "--pgdata", str(self.folder / "data"), *words]
        done = subprocess.run(command, user=self.user, cwd="/", capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise NoServerError(f"initdb: {done.stderr.strip()[-500:]}")

    def start(self):
        log = (self.folder / "log").open("ab")
        options = {"fsync": "off", "full_page_writes": "off", "listen_addresses": "", "max_connections": "200"}
        options |= {"unix_socket_directories": str(self.folder)}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with log:
            command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *words]
            options = {"stdout": log, "stderr": log, "user": self.user, "cwd": "/"}
            self.process = subprocess.Popen(command, **options, preexec_fn=_end_with_parent)  # noqa: PLW1509 - one call of the system's, and no lock is taken
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NoServerError((self.folder / "log").read_text(errors="replace")[-1000:])
            time.sleep(0.05)

    def stop(self, number=signal.SIGINT):
        """SIGINT ends all connections and the server; SIGSTOP and SIGCONT make it silent for a while."""
        self.process.send_signal(number)
        if number == signal.SIGINT:
            self.process.wait(timeout=START_SECONDS)

    def url(self, name):
        return f"postgresql://mooring@/{name}?host={self.folder}"

    @contextlib.contextmanager
    def database(self):
        """The URL of an empty database, dropped in the end."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self._ask(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield self.url(name)
        finally:
            self._ask(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, statement):
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _end_with_parent():
    """SIGQUIT from the kernel when the tests are killed: the server ends at once."""
    with contextlib.suppress(OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _programs():
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else sorted(Path(INSTALLED).glob("*/bin"), key=_version)
    if not folders or not (folders[-1] / "initdb").exists():
        raise NoServerError("no PostgreSQL server is installed (Debian: apt install postgresql)")
    return folders[-1]


def _version(folder):
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _unprivileged():
    """PostgreSQL refuses root."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoServerError("there is no user but root to run PostgreSQL as")
