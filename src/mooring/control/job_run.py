"""One job from its first look at the input to its list of results, going on from wherever its rows say it is."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.batch.asking import Asker, Patience
from mooring.batch.feed import Feed, Tally, Threshold
from mooring.batch.listing import items_of, write_manifest
from mooring.batch.manifest import ManifestForm
from mooring.batch.mapping import Mapping
from mooring.batch.naming import ResultNames
from mooring.batch.requests import FileRequests, Inputs, RowRequests
from mooring.batch.spool import Spools
from mooring.batch.work import FileWork, RowWork
from mooring.contract import vocabulary
from mooring.control.batch_wishes import CSV
from mooring.control.job_journal import JobJournal
from mooring.control.job_rows import item_of, outcome_of
from mooring.control.status import ItemState, JobState
from mooring.control.storage_check import EMPTY_IT, NOT_EMPTY
from mooring.control.threads import in_thread
from mooring.errors import Conflict, MooringError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from typing import ParamSpec, TypeVar

    from mooring.batch.instances import Instances
    from mooring.batch.item import Item, Outcome
    from mooring.batch.work import Work
    from mooring.contract.edition import Edition
    from mooring.control.clock import Clock
    from mooring.control.job_rows import JobRows, JobSeen
    from mooring.storage import Places, Storage

    P = ParamSpec("P")
    T = TypeVar("T")

LOG = logging.getLogger(__name__)
# Rows that are written, and read, at a time.
LISTED, READ = 500, 1000
AGAIN_SECONDS, AGAIN_LIMIT_SECONDS = 0.5, 10.0
# Storage that is away for longer ends a job, which goes on when its service is started again.
PATIENCE_SECONDS = 3600.0
LOOK_SECONDS = 0.1
NO_STORAGE = "storage does not answer, and the job waits: {why}"


@dataclass(frozen=True, kw_only=True)
class JobGround:
    """What every job stands on."""

    rows: JobRows
    places: Places
    edition: Edition
    clock: Clock
    patience: Patience
    spools: Path
    """The folder that keeps what is done of tables, in a folder for each job."""


class JobRun:
    """Work at one job until it is over, or nobody wants it any more (Overtaken), or it is cancelled.

    Nothing is lost by that: what the rows do not say is found out or done again, with the same result.
    """

    def __init__(self, ground: JobGround, job_id: int, instances: Instances) -> None:
        self._ground = ground
        self._rows = ground.rows
        self._job_id = job_id
        self._instances = instances
        self._waits = 0

    async def work(self) -> None:
        """Do all that is left; a job that cannot go on is called failed, with the reason."""
        try:
            while True:
                try:
                    await self._go_on()
                except Unavailable as error:
                    await self._wait(error)
                else:
                    return
        except MooringError as error:
            why = f"{error.message} ({error.hint})" if error.hint else error.message
        except _TooMuchFailed as failed:
            why = str(failed)
        await self.give_up(why)

    async def give_up(self, why: str) -> None:
        """Call it failed."""
        await self._insist(self._rows.fail, self._job_id, why)

    async def _go_on(self) -> None:
        steps = {JobState.NEW: self._begin, JobState.LISTING: self._list, JobState.FEEDING: self._feed}
        while (job := await in_thread(self._rows.job, self._job_id)).state in steps:
            await steps[job.state](job)

    async def _wait(self, error: Unavailable) -> None:
        """Something is away. What it was is told once, and it is waited for, for so long."""
        waited = AGAIN_SECONDS * 2 ** min(self._waits, 16)
        if self._waits * AGAIN_LIMIT_SECONDS > PATIENCE_SECONDS:
            raise Conflict(error.message, hint=error.hint)
        if not self._waits:
            await self._insist(self._rows.tell, self._job_id, NO_STORAGE.format(why=error.message))
        self._waits += 1
        await self._ground.clock.sleep(min(waited, AGAIN_LIMIT_SECONDS))

    async def _begin(self, job: JobSeen) -> None:
        """The output must be empty when the job begins; from then on, what is there is the job's own."""
        output = self._ground.places.place(job.wish.output)
        if not await output.is_empty():
            raise Conflict(NOT_EMPTY.format(output=job.wish.output), hint=EMPTY_IT)
        await in_thread(self._rows.turn, job.id, JobState.LISTING)

    async def _list(self, job: JobSeen) -> None:
        """Make rows of the input. What was listed already is passed over, if it is still the same."""
        listed, last = await in_thread(self._rows.last, job.id)
        gathered: list[Item] = []
        names = ResultNames(self._ground.edition)
        found = items_of(self._ground.places, job.wish.source, names, tables=job.wish.mapping_type == CSV)
        seen = 0
        async for item in found:
            seen += 1
            if item.index < listed:
                if item.index == listed - 1 and item.source != last:
                    break
                continue
            gathered.append(item)
            if len(gathered) >= LISTED:
                await in_thread(self._rows.add, job.id, gathered)
                gathered, self._waits = [], 0
        if seen < listed or (seen == listed and not gathered and item.source != last):
            await in_thread(self._rows.clear, job.id)
            return
        if gathered:
            await in_thread(self._rows.add, job.id, gathered)
        await in_thread(self._rows.turn, job.id, JobState.FEEDING)

    async def _feed(self, job: JobSeen) -> None:
        if job.done + job.failed < job.total:
            tally = await self._fed(job)
            if tally.given_up:
                raise _TooMuchFailed(tally.given_up)
        job = await in_thread(self._rows.job, job.id)
        if job.done + job.failed < job.total:
            return
        await self._render(job)

    async def _fed(self, job: JobSeen) -> Tally:
        """Feed what has no outcome, once there is an instance."""
        while not self._instances.capacity:
            await self._ground.clock.sleep(LOOK_SECONDS)
        wish, patience = job.wish, self._ground.patience
        if wish.item_timeout_in_seconds is not None:
            patience = replace(patience, request_seconds=wish.item_timeout_in_seconds)
        asker = Asker(self._instances, wish.req_uri, patience)
        output = self._ground.places.place(wish.output)
        feed = Feed(self._doing(job, asker, output), self._instances, threshold=_threshold(job), patience=patience)
        feed.tally = Tally(job.done + job.failed, job.failed, job.requests, job.failed_requests)

        async def write(outcomes: list[Outcome], live: int, rate: int) -> None:
            # Rows say of a result that it is there once that outlives a power failure.
            if outcomes:
                await self._settle(output)
            await self._insist(self._rows.mark, job, outcomes, live=live, rate=rate)

        journal = JobJournal(feed.tally, write, self._ground.clock)
        try:
            async with journal:
                return await feed.run(self._pending(job.id), journal.take)
        except Unavailable as error:  # the database is waited for: it is the instances, or storage, and for too long
            raise Conflict(error.message, hint=error.hint) from None
        finally:
            asker.close()

    async def _settle(self, output: Storage) -> None:
        """Wait for storage to keep what was written, however long it is away."""
        pause = AGAIN_SECONDS
        while True:
            try:
                return await output.settle()
            except Unavailable as error:
                LOG.warning("job %d has to wait: %s", self._job_id, error)
            await self._ground.clock.sleep(pause)
            pause = min(2 * pause, AGAIN_LIMIT_SECONDS)

    def _doing(self, job: JobSeen, asker: Asker, output: Storage) -> Work:
        edition, is_csv = self._ground.edition, job.wish.mapping_type == CSV
        limit = vocabulary.BATCH_CSV_LIMIT if is_csv else vocabulary.BATCH_FILE_LIMIT
        most = edition[limit] if limit in edition else None  # noqa: SIM401 - `get` takes no None for an int
        inputs = Inputs(self._ground.places.remembering(), most)
        if is_csv:
            rows = RowRequests(inputs, Mapping(job.wish.mapping_rule))
            spools = Spools(self._ground.spools / str(job.id))
            return RowWork(asker, rows, output, lambda: self._instances.capacity, spools)
        return FileWork(asker, FileRequests(inputs, job.wish.field), output)

    async def _pending(self, job_id: int) -> AsyncIterator[Item]:
        after = -1
        while found := await self._insist(self._rows.items, job_id, after=after, limit=READ, state=ItemState.PENDING):
            for row in found:
                yield item_of(row)
            after = found[-1].number

    async def _render(self, job: JobSeen) -> None:
        """Write the list of results anew from the rows; what an earlier, longer one left over goes."""
        output = self._ground.places.place(job.wish.output)
        form = ManifestForm.of(self._ground.edition, job.task_id)
        written = await write_manifest(output, self._outcomes(job.id), form)
        for part in range(len(written), job.parts):
            await output.delete(form.name(part))
        await output.settle()
        await in_thread(self._rows.finish, job.id, len(written))

    async def _outcomes(self, job_id: int) -> AsyncIterator[Outcome]:
        after = -1
        while found := await in_thread(self._rows.items, job_id, after=after, limit=READ):
            for row in found:
                yield outcome_of(row)
            after = found[-1].number

    async def _insist(self, doing: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it, however long the database is away."""
        pause = AGAIN_SECONDS
        while True:
            try:
                return await in_thread(doing, *args, **kwargs)
            except Unavailable as error:
                LOG.warning("job %d has to wait: %s", self._job_id, error)
            await self._ground.clock.sleep(pause)
            pause = min(2 * pause, AGAIN_LIMIT_SECONDS)


class _TooMuchFailed(Exception):
    """More failed than the wish allows."""


def _threshold(job: JobSeen) -> Threshold | None:
    """Of files as many requests as there are inputs; how many rows tables have shows only when they are read."""
    if job.wish.error_threshold is None:
        return None
    return Threshold(percent=job.wish.error_threshold, total=None if job.wish.mapping_type == CSV else job.total)
