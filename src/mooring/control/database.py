"""The database that a platform keeps its rows in: SQLite in its data folder, or PostgreSQL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from sqlalchemy.orm import Session

    from mooring.control.settings import Settings

T = TypeVar("T")


def now_ms() -> int:
    """Milliseconds since the epoch, UTC, by this machine's clock."""
    return time.time_ns() // 1_000_000


class Hold:
    """The right to act as the platform of one database, for as long as it is held; leaving the context gives it up."""

    def check(self) -> None:
        """Hold on to it; asked every few seconds.

        Raises:
            Unavailable: the database is away, and with it whoever could take the hold.
            Conflict: the database came back and another platform was faster: this one must act no more.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give it up."""


class Database:
    """One platform's rows. Every method blocks: none is for an event loop.

    Unavailable from any of them when the database is locked, full or away for longer than is waited for.
    """

    @classmethod
    def open(cls, settings: Settings, *, now_ms: Callable[[], int] = now_ms) -> Database:
        """The database that the settings name, made if it is SQLite and not there; Invalid for a URL of another kind.

        Nothing is read yet: `lock` comes first, then `migrate`.
        """
        raise NotImplementedError

    def lock(self) -> Hold:
        """Be the only platform on this database and this data folder. Conflict, saying who is, when another is."""
        raise NotImplementedError

    def migrate(self, target: str = "head") -> None:
        """Bring the tables to a revision, up or down (`base` is none at all).

        Refused (case `database-newer`) when a newer Mooring has written them.
        """
        raise NotImplementedError

    def platform_id(self) -> str:
        """The id that marks this platform's workloads as its own; made at the first start, after `migrate`."""
        raise NotImplementedError

    def begin(self) -> AbstractContextManager[Session]:
        """A transaction that may write: kept when the block ends, undone when it raises.

        One at a time, all others wait, so what a block has read stays true until it ends; keep it short, and never wait
        for the world inside.
        """
        raise NotImplementedError

    def read(self) -> AbstractContextManager[Session]:
        """A transaction that only reads, all of it as of one moment; waits for nobody."""
        raise NotImplementedError

    def run(self, work: Callable[[Session], T]) -> T:
        """What `work` returns, done in one transaction that may write; done again when the database lost it."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of all connections."""
        raise NotImplementedError
