"""The database that a platform keeps its rows in: SQLite in its data folder, or PostgreSQL."""

from __future__ import annotations

import contextlib
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from mooring.control import connecting, hold, migrations, tables
from mooring.control.connecting import MIGRATE, MODE, READ, WRITE
from mooring.control.hold import Hold
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from mooring.control.settings import Settings

RETRY_SECONDS = 0.1


def now_ms() -> int:
    """Milliseconds since the epoch, UTC, by this machine's clock."""
    return time.time_ns() // 1_000_000


class Database:
    """One platform's rows. Every method blocks: none is for an event loop.

    Unavailable from any of them when the database is locked, full or away for longer than is waited for.
    """

    def __init__(self, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ms = now_ms
        self._url = connecting.url_of(settings)
        self._place = self._url.render_as_string(hide_password=True)
        self._wait_seconds = settings.timings.database_seconds
        self._engine = connecting.connect(self._url, wait_seconds=self._wait_seconds)

    @classmethod
    def open(cls, settings: Settings, *, now_ms: Callable[[], int] = now_ms) -> Database:
        """The database that the settings name, made if it is SQLite and not there; so is the data folder.

        Nothing is read yet: `lock` comes first, then `migrate`.

        Raises:
            Invalid: the URL is of another kind, or the folder cannot be made.
        """
        try:
            settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Invalid(
                f"cannot make {settings.data}: {error.strerror}", hint="choose another with --data"
            ) from error
        return cls(settings, now_ms)

    def lock(self) -> Hold:
        """Be the only platform on this database and this data folder. Conflict, saying who is, when another is."""
        files = [self._settings.data / hold.FILE_NAME]
        if self._url.get_backend_name() == "sqlite":
            file = Path(self._url.database or "").absolute()
            if file.parent != self._settings.data.absolute():
                files.append(file.with_name(f"{file.name}.lock"))
        return Hold(files, self._url, self._wait_seconds)

    def migrate(self, target: str = "head") -> None:
        """Bring the tables to a revision, up or down (`base` is none at all).

        Refused (case `database-newer`) when a newer Mooring has written them.
        """
        with self._session(MIGRATE) as session:
            migrations.migrate(session.connection(), target)

    def platform_id(self) -> str:
        """The id that marks this platform's workloads as its own; made at the first start, after `migrate`."""
        with self.begin() as session:
            row = session.scalar(select(tables.Platform))
            if row is None:
                row = tables.Platform(id=uuid.uuid4().hex, created_at=self._now_ms())
                session.add(row)
            row.edition = self._settings.edition
            return row.id

    @contextlib.contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction that may write: kept when the block ends, undone when it raises.

        One at a time, all others wait, so what a block has read stays true until it ends; keep it short, and never wait
        for the world inside.
        """
        with self._session(WRITE) as session:
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads, all of it as of one moment; waits for nobody."""
        with self._session(READ) as session:
            yield session

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _session(self, mode: str) -> Iterator[Session]:
        with connecting.translated(self._place, writes=mode != READ):
            session = _begun(self._engine.execution_options(**{MODE: mode}), self._wait_seconds)
            with contextlib.closing(session):  # which undoes what was not kept
                yield session
                session.commit()


def _begun(engine: Engine, wait_seconds: float) -> Session:
    """A session in a transaction that has begun; a database that is away is waited for."""
    deadline = time.monotonic() + wait_seconds
    while True:
        # Rows stay readable when the transaction is over.
        session = Session(engine, expire_on_commit=False)
        try:
            session.connection()
        except (DBAPIError, PoolTimeoutError) as error:
            session.close()
            away = isinstance(error, DBAPIError) and connecting.is_away(error)
            if not away or time.monotonic() + RETRY_SECONDS > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        except BaseException:
            session.close()
            raise
        else:
            return session
