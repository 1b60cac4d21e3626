"""The platform, put together: what keeps it, what acts for it, and the order in which it comes up and goes down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Self

from mooring.batch.asking import Patience
from mooring.contract import edition
from mooring.control.catalog import Catalog
from mooring.control.clock import Clock
from mooring.control.database import Database
from mooring.control.engines import open_engine
from mooring.control.gateways import Gateways
from mooring.control.housekeeping import tidy
from mooring.control.importing import Importer
from mooring.control.job_places import JobPlaces
from mooring.control.job_rows import JobRows
from mooring.control.job_run import JobGround
from mooring.control.jobs import Jobs
from mooring.control.keys import Keys
from mooring.control.look import Ground
from mooring.control.measuring import Measuring
from mooring.control.reconcile import Hands, Reconciler
from mooring.control.replica_logs import ReplicaLogs
from mooring.control.sealing import Sealing
from mooring.control.services import Services
from mooring.control.storage_check import StorageCheck
from mooring.control.story import Story
from mooring.control.threads import in_thread
from mooring.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mooring.control.keys import Made
    from mooring.control.settings import Settings
    from mooring.engine.workload import Engine

LOG = logging.getLogger(__name__)
# How often the right to act is looked after, and who may call.
HOLD_SECONDS = 3.0
TIDY_SECONDS = 3600.0


class Tenure:
    """The database, and the right to be the only platform on it."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Blocks. Errors as `Platform.open`."""
        with contextlib.ExitStack() as undo:
            self.db = Database.open(settings, now_ms=clock.now_ms)
            undo.callback(self.db.close)
            self._hold = undo.enter_context(self.db.lock())
            self.db.migrate()
            self.platform_id = self.db.platform_id()
            self._undo = undo.pop_all()

    def check(self) -> None:
        """Hold on to it. Conflict when another platform has it now, Unavailable while nobody can tell."""
        self._hold.check()

    def close(self) -> None:
        """Let another platform have it."""
        self._undo.close()


class Platform:
    """One platform, up; an async context. `run` beside whatever serves its API.

    `first_token` is the token that its very first start made, to be shown once; None later.
    """

    def __init__(self, settings: Settings, tenure: Tenure, engine: Engine, clock: Clock) -> None:
        """Use `open`."""
        db, now_ms, timings = tenure.db, clock.now_ms, settings.timings
        self.settings, self.clock, self.engine, self.db, self._tenure = settings, clock, engine, db, tenure
        self.id = tenure.platform_id
        self.edition = edition(settings.edition)
        self.keys = Keys(db, Sealing.open(settings.data), now_ms)
        self.first_token: Made | None = self.keys.start(settings.data)
        self.story = Story(db, now_ms)
        self.catalog = Catalog(db, self.story, settings, now_ms)
        self.importer = Importer(db, self.story, settings, now_ms, engine.name)
        self.catalog.on_wish = self.importer.wake
        self.services = Services(db, self.story, settings, now_ms)
        self.gateways = Gateways(db, now_ms=now_ms, lost_seconds=timings.gateway_lost_seconds)
        self.gateways.open()
        self.gateways.change_callers(self.keys.callers())
        self.keys.on_change = self._change_callers
        self.logs = ReplicaLogs(
            engine, settings.data / "logs", most_bytes=settings.log_bytes_per_replica, sleep=clock.sleep
        )
        ground = Ground(settings=settings, edition=self.edition, story=self.story, engine=engine.name)
        self.reconciler = Reconciler(db, ground, Hands(engine, self.gateways, self.logs), clock)
        self.jobs = Jobs(self._job_ground(), resync_seconds=timings.resync_seconds)
        self.reconciler.on_targets, self.jobs.on_wish = self.jobs.see, self.reconciler.wake
        self.services.on_wish = self._wake
        self.services.check_storage = StorageCheck(self._places)
        self.usage = Measuring(engine, clock).usage

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        engine: Callable[[Settings, str], Engine] = open_engine,
    ) -> Self:
        """Take hold of the database, bring its tables up to date, and put everything together; nothing acts yet.

        Raises:
            Conflict: another platform has the database or the data folder.
            Refused: the tables were written by a newer Mooring.
            Unavailable: the database or the container engine does not answer.
        """
        return await in_thread(cls._opened, settings, clock or Clock(), engine)

    @classmethod
    def _opened(cls, settings: Settings, clock: Clock, engine: Callable[[Settings, str], Engine]) -> Self:
        tenure = Tenure(settings, clock)
        with contextlib.ExitStack() as undo:
            undo.callback(tenure.close)
            platform = cls(settings, tenure, engine(settings, tenure.platform_id), clock)
            undo.pop_all()
            return platform

    async def run(self) -> None:
        """Act, until cancelled; what runs goes on running then.

        Raises:
            Conflict: another platform took the database while it was away; this one has stopped acting.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.reconciler.run(), name="reconciler")
                group.create_task(self.jobs.run(), name="jobs")
                group.create_task(self.importer.work(), name="importer")
                group.create_task(self._hold_on(), name="hold")
                group.create_task(self._tidy(), name="housekeeping")
        except* Conflict as conflicts:
            raise conflicts.exceptions[0] from None

    async def close(self) -> None:
        """Let go of everything; replicas stay as they are."""
        await self.jobs.close()
        await self.reconciler.close()
        await self.engine.close()
        await in_thread(self._tenure.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _wake(self, service_id: str) -> None:
        self.reconciler.wake(service_id)
        self.jobs.wake(service_id)

    def _places(self) -> JobPlaces:
        return JobPlaces(self.settings.storage, self.settings.data)

    def _job_ground(self) -> JobGround:
        rows = JobRows(self.db, self.story, self.clock.now_ms)
        return JobGround(
            rows=rows,
            places=self._places(),
            edition=self.edition,
            clock=self.clock,
            patience=Patience(),
            spools=self.settings.data / "batch",
        )

    def _change_callers(self) -> None:
        """Tell the gateways who may call now; when the database is away just then, the next look at the hold does."""
        with contextlib.suppress(Unavailable):
            self.gateways.change_callers(self.keys.callers())

    async def _hold_on(self) -> None:
        while True:
            try:
                await in_thread(self._tenure.check)
            except Unavailable as error:
                LOG.warning("the database is away: %s", error)
            await in_thread(self._change_callers)
            await self.clock.sleep(HOLD_SECONDS)

    async def _tidy(self) -> None:
        while True:
            try:
                await in_thread(tidy, self.db, self.story, self.logs, self.clock.now_ms())
                await in_thread(self.jobs.tidy)
            except Unavailable as error:
                LOG.debug("housekeeping has to wait: %s", error)
            except Exception:
                LOG.exception("housekeeping failed")  # which is no reason for everything else to end
            await self.clock.sleep(TIDY_SECONDS)
