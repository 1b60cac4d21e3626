"""Connections to the databases we know, and what their errors mean to a platform."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool

from mooring.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

    from mooring.control.settings import Settings

FILE_NAME = "mooring.db"
# What a transaction is for, as an option of its connection.
MODE = "mooring_mode"
READ, WRITE, MIGRATE, HOLD = "read", "write", "migrate", "hold"
# The two numbers of PostgreSQL's advisory locks: ours, and which of ours it is.
LOCKS, PLATFORM_LOCK, WRITERS_LOCK = 0x6D6F6F72, 1, 2
# The API's threads and the reconciler's.
CONNECTIONS, MORE_CONNECTIONS = 10, 40
SHORTEST_CONNECT_SECONDS = 2
_SQLITE_AWAY = ("BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "NOTADB", "CORRUPT", "PROTOCOL")
# Classes of SQLSTATE: connection, resources, operator's intervention, system; then locks and a standby's refusal.
_POSTGRESQL_AWAY = ("08", "53", "57", "58", "40001", "40P01", "55P03", "25006")


def url_of(settings: Settings) -> URL:
    """Where the settings say the database is. Invalid when it is neither SQLite in a file nor PostgreSQL."""
    try:
        url = make_url(settings.database or f"sqlite:///{settings.data / FILE_NAME}")
    except ArgumentError:
        raise Invalid("the database's URL cannot be read", hint="postgresql://user@host/name") from None
    kind = url.drivername.split("+")[0]
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite+pysqlite")
    raise Invalid(
        f"no database of ours is at {url.render_as_string()}", hint="sqlite:////path/to/file or postgresql://host/name"
    )


def connect(url: URL, *, wait_seconds: float, application: str = "mooring", pooled: bool = True) -> Engine:
    """An engine of SQLAlchemy's whose transactions begin as their mode (in the option MODE) has it.

    A writing one has begun only when no other writes.
    """
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pooled:
        pool = {"pool_size": CONNECTIONS, "max_overflow": MORE_CONNECTIONS, "pool_timeout": wait_seconds}
    if url.get_backend_name() == "sqlite":
        _make_private(Path(url.database or ""))
        engine = create_engine(url, connect_args={"timeout": wait_seconds}, hide_parameters=True, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(url, connect_args=_postgresql(wait_seconds, application), hide_parameters=True, **pool)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


@contextlib.contextmanager
def translated(place: str, *, writes: bool = True) -> Iterator[None]:
    """Errors of a database in our own words: Unavailable when it is away, Invalid for text that it cannot keep."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable(f"all connections to {place} are in use", hint="try again in a moment") from error
    except DBAPIError as error:
        if is_away(error, writes=writes):
            raise Unavailable(f"{place} does not answer: {_first_line(error)}", hint="try again in a moment") from error
        if isinstance(error, DataError):
            raise Invalid(f"{place} cannot keep this: {_first_line(error)}", case="parameter-invalid") from error
        raise


def is_away(error: DBAPIError, *, writes: bool = True) -> bool:
    """Whether this tells of the database's state, not of a mistake in what it was asked."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", "").removeprefix("SQLITE_")
        # In a transaction that reads, it is we who forbade writing.
        return name.startswith(_SQLITE_AWAY) and (writes or not name.startswith("READONLY"))
    if isinstance(cause, psycopg.Error):
        if cause.sqlstate is None:
            return isinstance(cause, psycopg.OperationalError) or error.connection_invalidated
        return cause.sqlstate.startswith(_POSTGRESQL_AWAY) and (writes or cause.sqlstate != "25006")
    return error.connection_invalidated


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).splitlines() or [type(error.orig).__name__])[0]


def _make_private(file: Path) -> None:
    """SQLite gives its other files the rights of the first."""
    with contextlib.suppress(FileExistsError):
        try:
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise Invalid(f"cannot make {file}: {error.strerror}", hint="make its folder first") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions begin where we say, not where the driver thinks fit.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: what was answered is kept when the power fails, at the cost of one sync a transaction.
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(MODE, READ)
    connection.exec_driver_sql(f"PRAGMA query_only = {int(mode == READ)}")
    # A table that is copied to be changed must not take its children with it.
    connection.exec_driver_sql(f"PRAGMA foreign_keys = {int(mode != MIGRATE)}")
    connection.exec_driver_sql("BEGIN" if mode == READ else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    mode = connection.get_execution_options().get(MODE, READ)
    if mode == READ:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    elif mode != HOLD:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCKS}, {WRITERS_LOCK})")


def _postgresql(wait_seconds: float, application: str) -> dict[str, Any]:
    """Nobody waits for ever: not for a lock, nor for a machine that went away without a word."""
    return {
        "connect_timeout": max(SHORTEST_CONNECT_SECONDS, round(wait_seconds)),
        "application_name": application,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": f"-c lock_timeout={round(wait_seconds * 1000)} -c idle_in_transaction_session_timeout=60000"
        " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3",
    }
