"""The right to be the only platform on a database and a data folder, and who has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import time
from typing import TYPE_CHECKING, Self

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mooring.control import connecting
from mooring.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy import URL, Connection

FILE_NAME = "lock"
HINT = "stop that one first, or give this one a data folder and a database of its own"
# PostgreSQL notices within moments that a process which had the lock is gone.
GONE_SECONDS = 3.0
POLL_SECONDS = 0.1
NAME_BYTES = 63
_TAKE = text("SELECT pg_try_advisory_lock(CAST(:locks AS int), CAST(:lock AS int))").bindparams(
    locks=connecting.LOCKS, lock=connecting.PLATFORM_LOCK
)
_HOLDER = text(
    "SELECT a.pid, a.application_name, a.backend_start::text FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
    " JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = :locks AND l.objid = :lock"
).bindparams(locks=connecting.LOCKS, lock=connecting.PLATFORM_LOCK)
_END = text("SELECT pg_terminate_backend(:pid)")


class Hold:
    """The right to act as the platform of one database, for as long as it is held; leaving the context gives it up."""

    def __init__(self, files: Iterable[Path], url: URL, wait_seconds: float) -> None:
        """Conflict, saying who has it, when another platform does."""
        self._stack = contextlib.ExitStack()
        self._server: _ServerHold | None = None
        try:
            for file in files:
                self._stack.enter_context(_file_hold(file))
            if url.get_backend_name() == "postgresql":
                self._server = self._stack.enter_context(contextlib.closing(_ServerHold(url, wait_seconds)))
        except BaseException:
            self._stack.close()
            raise

    def check(self) -> None:
        """Hold on to it; asked every few seconds.

        Raises:
            Unavailable: the database is away, and with it whoever could take the hold.
            Conflict: the database came back and another platform was faster: this one must act no more.
        """
        if self._server:
            self._server.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it up."""
        self._stack.close()


@contextlib.contextmanager
def _file_hold(file: Path) -> Iterator[None]:
    """The kernel's lock on a file, which ends with the process however that ends; the file says whose it is."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Invalid(f"cannot write {file}: {error.strerror}", hint="choose another folder with --data") from error
    with os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = opened.readline().strip() or "another platform"
            raise Conflict(f"{who} has {file.parent}", hint=HINT, case="platform-running") from None
        opened.truncate(0)
        opened.write(f"the platform of process {os.getpid()} on {socket.gethostname()}\n")
        opened.flush()
        yield
        opened.truncate(0)


class _ServerHold:
    """An advisory lock of PostgreSQL's, which ends with its connection."""

    def __init__(self, url: URL, wait_seconds: float) -> None:
        # The end of the name tells our own connection from another's, should the server keep it after we lost it.
        name = f"the platform of process {os.getpid()} on {socket.gethostname()[:16]}"[: NAME_BYTES - 9]
        self._name = f"{name} {secrets.token_hex(4)}"
        self._engine = connecting.connect(url, wait_seconds=wait_seconds, application=self._name, pooled=False)
        self._place = url.render_as_string(hide_password=True)
        self._connection = self._taken()

    def check(self) -> None:
        with connecting.translated(self._place):
            try:
                if self._connection is not None:
                    self._connection.execute(text("SELECT 1"))
                    return
            except DBAPIError as error:
                if not connecting.is_away(error):
                    raise
                self._let_go()
        self._connection = self._taken()

    def close(self) -> None:
        self._let_go()
        self._engine.dispose()

    def _let_go(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.close()
            self._connection = None

    def _taken(self) -> Connection | None:
        with connecting.translated(self._place), contextlib.ExitStack() as undo:
            connection = self._engine.connect()
            undo.callback(connection.close)
            connection = connection.execution_options(
                isolation_level="AUTOCOMMIT", **{connecting.MODE: connecting.HOLD}
            )
            deadline = time.monotonic() + GONE_SECONDS
            while not connection.scalar(_TAKE):
                holder = connection.execute(_HOLDER).first()
                if holder and holder.application_name == self._name:
                    connection.execute(_END, {"pid": holder.pid})
                elif time.monotonic() > deadline:
                    who = f"{holder.application_name[:-9]}, since {holder.backend_start}," if holder else "another one"
                    raise Conflict(f"{who} has {self._place}", hint=HINT, case="platform-running")
                time.sleep(POLL_SECONDS)
            undo.pop_all()
            return connection
