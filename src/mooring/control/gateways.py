"""Control's side of the link to its gateways: the table they go by, and what they tell about themselves."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from mooring.control.tables import Calls, Heard, Totals
from mooring.control.threads import in_thread
from mooring.gateway.table import Callers, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.gateway.link import Count, GatewayReport
    from mooring.gateway.table import Route

# A gateway reports every second; one that was not heard for this long is taken for gone.
LOST_SECONDS = 10.0
# How long a request for the next table is held before the same one is given again.
HOLD_SECONDS = 20.0
# A gateway that counts nothing is still written down now and then, so that a restarted control knows of it.
WRITE_MS = 60_000
# Gateways that were not heard for this long before control came back are not waited for.
FORGET_MS = 24 * 3_600_000


class Gateways:
    """What all gateways hold and how they are doing; it is a ControlLink for the one in this process.

    `publish` and `change_callers` may be called from any thread. Nothing is given out before the first `publish`: an
    empty table would end traffic that a gateway still serves from the one it has.
    """

    def __init__(
        self,
        db: Database,
        *,
        now_ms: Callable[[], int],
        lost_seconds: float = LOST_SECONDS,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        self._db = db
        self._now_ms = now_ms
        self._lost_ms = int(lost_seconds * 1000)
        self._hold_seconds = hold_seconds
        self._lock = threading.Lock()
        self._counting = asyncio.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._table = Table()
        self._callers = Callers()
        self._first_number = 0
        self._left: dict[str, int] = {}
        self._reports: dict[str, tuple[int, GatewayReport]] = {}
        self._written: dict[str, int] = {}
        self._opened_at = now_ms()
        self._expected: frozenset[str] = frozenset()

    def open(self) -> None:
        """Learn which gateways there were before control was last away. Call it once, off the loop."""
        self._opened_at = self._now_ms()
        with self._db.read() as session:
            known = session.scalars(select(Heard).where(Heard.heard_at > self._opened_at - FORGET_MS))
            self._expected = frozenset(heard.gateway_id for heard in known)

    def publish(self, routes: Mapping[str, Route]) -> int:
        """Give every gateway these routes, and these only; the number of the table that has them."""
        with self._lock:
            if self._first_number and routes == self._table.routes:
                return self._table.number
            gone = replicas(self._table.routes) - replicas(routes)
            number = self._raise(replace(self._table, routes=dict(routes)))
            self._first_number = self._first_number or number
            self._left.update(dict.fromkeys(gone, number))
            for name in replicas(routes):
                self._left.pop(name, None)
            return number

    def change_callers(self, callers: Callers) -> None:
        """Let these call, and nobody else."""
        with self._lock:
            self._callers = callers
            if self._first_number and callers != self._table.callers:
                self._raise(replace(self._table, callers=callers))

    async def table(self, *, after: int) -> Table:
        """The newest table once its number is above `after`, or the same again after some twenty seconds."""
        self._surpass(after)
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with self._lock:
            if self._table.number > after:
                return self._table
            self._waiting.add(waiter)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._hold_seconds):
                    await event.wait()
        finally:
            with self._lock:
                self._waiting.discard(waiter)
        return self._table

    async def report(self, report: GatewayReport) -> None:
        """Take a gateway's word: at once for what is in flight, and counted once however often it is sent.

        Unavailable when it could not be written down; the same report is to be sent again then.
        """
        self._surpass(report.table)
        now = self._now_ms()
        known = self._reports.get(report.gateway_id)
        if known is None or known[1].number <= report.number:
            self._reports[report.gateway_id] = (now, report)
        else:
            self._reports[report.gateway_id] = (now, known[1])
        written = self._written.get(report.gateway_id)
        if report.counts or written is None or now - written >= WRITE_MS:
            async with self._counting:
                await in_thread(self._write, report, now)
            self._written[report.gateway_id] = now

    def live(self) -> Mapping[str, GatewayReport]:
        """The last report of every gateway that was heard within the last ten seconds, by its id."""
        now = self._now_ms()
        for gateway_id, (heard_at, _) in list(self._reports.items()):
            if now - heard_at > FORGET_MS:
                del self._reports[gateway_id]
                self._written.pop(gateway_id, None)
        return {name: report for name, (heard_at, report) in self._reports.items() if now - heard_at <= self._lost_ms}

    def quiet(self, names: Iterable[str]) -> frozenset[str]:
        """Those of these replicas that no gateway sends calls to any more, and none has one in flight at.

        Every live gateway must have a table that the replica is not in, and have said so since. Ones that control knew
        before it was restarted are given the time to be heard again.
        """
        waits = self._expected - set(self._reports) and self._now_ms() - self._opened_at <= self._lost_ms
        if not self._first_number or waits:
            return frozenset()
        live = self.live().values()
        return frozenset(
            name
            for name in set(names) - replicas(self._table.routes)
            if all(_is_silent(report, name, self._left.get(name, self._first_number)) for report in live)
        )

    def is_quiet(self, replica: str) -> bool:
        """Whether this one is."""
        return replica in self.quiet((replica,))

    def forget(self, replica: str) -> None:
        """It is gone for good, and its name is not asked for again."""
        with self._lock:
            self._left.pop(replica, None)

    def _raise(self, table: Table) -> int:
        number = max(self._now_ms(), self._table.number + 1)
        self._table = replace(table, number=number, callers=self._callers)
        for loop, event in self._waiting:
            with contextlib.suppress(RuntimeError):  # a loop that was closed meanwhile waits for nothing
                loop.call_soon_threadsafe(event.set)
        self._waiting.clear()
        return number

    def _surpass(self, number: int) -> None:
        """A gateway has a higher table than there is: the clock went back while control was away. Go above it."""
        with self._lock:
            if self._first_number and number > self._table.number:
                self._table = replace(self._table, number=number)
                self._raise(self._table)

    def _write(self, report: GatewayReport, now: int) -> None:
        with self._db.begin() as session:
            heard = session.get(Heard, report.gateway_id)
            if heard is None:
                session.add(Heard(gateway_id=report.gateway_id, number=report.number, heard_at=now))
            elif report.number <= heard.number:
                heard.heard_at = now
                return
            else:
                heard.number, heard.heard_at = report.number, now
            add_up(session, report.counts)


def add_up(session: Session, counts: Collection[Count]) -> None:
    """Add calls to their minute and to all calls there ever were."""
    for count in counts:
        minute = session.get(Calls, (count.service_id, count.model_id, count.minute))
        if minute is None:
            minute = Calls(
                service_id=count.service_id, model_id=count.model_id, minute=count.minute, calls=0, failures=0
            )
            session.add(minute)
        total = session.get(Totals, (count.service_id, count.model_id))
        if total is None:
            total = Totals(service_id=count.service_id, model_id=count.model_id, calls=0, failures=0)
            session.add(total)
        for row in (minute, total):
            row.calls += count.calls
            row.failures += count.failures
        session.flush()  # the next count may be of the same minute


def _is_silent(report: GatewayReport, replica: str, number: int) -> bool:
    """Whether a gateway goes by that table or a later one, and has no call in flight at the replica."""
    return report.table >= number and not report.in_flight.get(replica)


def replicas(routes: Mapping[str, Route]) -> frozenset[str]:
    """The names of all replicas that these routes lead to."""
    return frozenset(_replicas(routes))


def _replicas(routes: Mapping[str, Route]) -> Iterator[str]:
    for route in routes.values():
        for share in route.shares:
            yield from (target.replica for target in share.targets)
