"""The rows of jobs and their items, read and written in small transactions; every method blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from mooring.batch.item import Item, Outcome
from mooring.control.batch_wishes import BatchWish
from mooring.control.gateways import add_up
from mooring.control.service_story import LINE_CHARACTERS
from mooring.control.status import ANSWERING, BATCH, ItemState, JobState, ServiceStatus, Target
from mooring.control.tables import Item as ItemRow
from mooring.control.tables import Job, Model, Revision, Service
from mooring.control.texts import as_text
from mooring.gateway.link import Count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.story import Story

MINUTE_MS = 60_000
WORKED_AT = (ServiceStatus.DEPLOYING, *ANSWERING)
EXECUTED = "service has been executed"
EXECUTED_WITH_FAILURES = "service has been executed, {failed} of {total} inputs failed"
FAILED = "batch service failed, try again later, with error: {why}"


class Overtaken(Exception):
    """Nobody wants this job to be worked at any more."""


@dataclass(frozen=True, kw_only=True)
class JobSeen:
    """A job as it is at one moment; `model_id` is the model that it feeds."""

    id: int
    service_id: str
    task_id: str
    model_id: str
    state: JobState
    wish: BatchWish
    total: int
    done: int
    failed: int
    requests: int
    failed_requests: int
    parts: int


def newest() -> Any:
    """The newest job of each service, of which there is at most one that counts."""
    return select(func.max(Job.id)).group_by(Job.service_id)


class JobRows:
    """What is kept of jobs. Unavailable from every method when the database is away."""

    def __init__(self, db: Database, story: Story, now_ms: Callable[[], int]) -> None:
        self._db = db
        self._story = story
        self._now_ms = now_ms

    def wanted(self) -> dict[int, tuple[str, int | None]]:
        """The jobs that are to be worked at now: their services, and how many requests an instance gets at a time."""
        with self._db.read() as session:
            found = (
                select(Job.id, Job.service_id, Job.wish)
                .join(Service, Service.id == Job.service_id)
                .where(Job.id.in_(newest()), Job.state != JobState.FINISHED, Service.infer_type == BATCH)
                .where(Service.target == Target.RUNNING, Service.status.in_(WORKED_AT))
            )
            return {row.id: (row.service_id, row.wish.get("concurrency")) for row in session.execute(found)}

    def present(self) -> list[int]:
        """The jobs that somebody could go on with."""
        with self._db.read() as session:
            found = select(Job.id).join(Service, Service.id == Job.service_id).where(Job.id.in_(newest()))
            return list(session.scalars(found))

    def job(self, job_id: int) -> JobSeen:
        """The job. Overtaken when nobody wants it any more."""
        with self._db.read() as session:
            row, service = self._present(session, job_id)
            revision = session.get_one(Revision, (service.id, row.revision))
            seen = {name: getattr(row, name) for name in JobSeen.__dataclass_fields__ if name in Job.__table__.columns}
            known = {**seen, "state": JobState(row.state), "wish": BatchWish.of(row.wish)}
            return JobSeen(**known, model_id=revision.config[0]["model_id"])

    def config(self, model_id: str) -> dict[str, Any] | None:
        """A model's config.json in its clean form."""
        with self._db.read() as session:
            model = session.get(Model, model_id)
            return model.config if model else None

    def turn(self, job_id: int, state: JobState) -> None:
        """Go on to the next state. Overtaken, as from all that follow, when nobody wants the job any more."""
        with self._db.begin() as session:
            job, _ = self._present(session, job_id)
            job.state = state
            if state == JobState.FEEDING:
                job.started_at = job.started_at or self._now_ms()

    def tell(self, job_id: int, line: str) -> None:
        """Tell of something that is not as it should be."""
        with self._db.begin() as session:
            _, service = self._present(session, job_id)
            self._tell(session, service, line, abnormal=True)

    def last(self, job_id: int) -> tuple[int, str]:
        """How many items were listed, and the source of the last of them."""
        with self._db.read() as session:
            job, _ = self._present(session, job_id)
            row = session.get(ItemRow, (job_id, job.total - 1)) if job.total else None
            return job.total, row.source if row else ""

    def clear(self, job_id: int) -> None:
        """Forget what was listed: the input is another now. Nothing of it was fed yet."""
        with self._db.begin() as session:
            job, _ = self._present(session, job_id)
            job.total = 0
            session.execute(delete(ItemRow).where(ItemRow.job_id == job_id))

    def add(self, job_id: int, items: Sequence[Item]) -> None:
        """Keep the next items of the listing."""
        with self._db.begin() as session:
            job, _ = self._present(session, job_id)
            session.execute(insert(ItemRow), [_new(job_id, item) for item in items])
            job.total += len(items)

    def items(self, job_id: int, *, after: int, limit: int, state: ItemState | None = None) -> list[ItemRow]:
        """The next items behind a number, in their order."""
        found = select(ItemRow).where(ItemRow.job_id == job_id, ItemRow.number > after)
        if state is not None:
            found = found.where(ItemRow.state == state)
        with self._db.read() as session:
            return list(session.scalars(found.order_by(ItemRow.number).limit(limit)))

    def mark(self, job: JobSeen, outcomes: Sequence[Outcome], *, live: int, rate: int) -> None:
        """Keep what became of items, each once, whatever is wanted of the job meanwhile; it is so, after all.

        `live` requests are done of items in hand, and `rate` are done in 1000 seconds.
        """
        with self._db.begin() as session:
            row = session.get(Job, job.id)
            if row is None:
                return
            fresh = self._pending(session, job.id, outcomes)
            if fresh:
                session.connection().execute(_MARK, [_marked(job.id, one) for one in fresh])
            row.done += sum(one.ok for one in fresh)
            row.failed += sum(not one.ok for one in fresh)
            requests, failed = sum(one.requests for one in fresh), sum(one.failed for one in fresh)
            row.requests += requests
            row.failed_requests += failed
            row.live, row.rate = live, rate
            minute = self._now_ms() // MINUTE_MS
            if requests and session.get(Service, job.service_id) is not None:
                counts = Count(
                    service_id=job.service_id, model_id=job.model_id, minute=minute, calls=requests, failures=failed
                )
                add_up(session, [counts])

    def finish(self, job_id: int, parts: int) -> None:
        """Everything has an outcome, and the list of results is written: the service has nothing more to do."""
        with self._db.begin() as session:
            job, service = self._present(session, job_id)
            job.state, job.parts, job.rate, job.finished_at = JobState.FINISHED, parts, 0, self._now_ms()
            job.live = 0
            service.target, service.progress = Target.FINISHED, WHOLE_PERCENT
            service.operation_at = self._now_ms()
            told = EXECUTED_WITH_FAILURES.format(failed=job.failed, total=job.total) if job.failed else EXECUTED
            self._tell(session, service, told, abnormal=False)

    def fail(self, job_id: int, why: str) -> None:
        """The job cannot go on; when the service is started again, it does from here."""
        with self._db.begin() as session:
            job, service = self._present(session, job_id)
            job.rate = job.live = 0
            service.status, service.error_msg, service.serving_revision = ServiceStatus.FAILED, as_text(why), 0
            service.transition_at = service.operation_at = self._now_ms()
            self._tell(session, service, FAILED.format(why=why), abnormal=True)

    def _tell(self, session: Session, service: Service, line: str, *, abnormal: bool) -> None:
        told = as_text(" ".join(line.split()))[:LINE_CHARACTERS]
        self._story.tell(session, service.id, service.project_id, told, abnormal=abnormal)

    @staticmethod
    def _present(session: Session, job_id: int) -> tuple[Job, Service]:
        job = session.get(Job, job_id)
        if job is None:
            raise Overtaken
        service = session.get(Service, job.service_id)
        if service is None or service.target != Target.RUNNING or service.status not in WORKED_AT:
            raise Overtaken
        if session.scalar(select(func.max(Job.id)).where(Job.service_id == service.id)) != job_id:
            raise Overtaken
        return job, service

    @staticmethod
    def _pending(session: Session, job_id: int, outcomes: Sequence[Outcome]) -> list[Outcome]:
        numbers = [one.item.index for one in outcomes]
        pending = (ItemRow.job_id == job_id, ItemRow.number.in_(numbers), ItemRow.state == ItemState.PENDING)
        found = set(session.scalars(select(ItemRow.number).where(*pending)))
        return [one for one in outcomes if one.item.index in found]


WHOLE_PERCENT = 100
_MARK = (
    update(ItemRow.__table__)  # type: ignore[arg-type]  # a table, as all mapped classes have one
    .where(ItemRow.job_id == bindparam("of_job"), ItemRow.number == bindparam("of_number"))
    .values(
        state=bindparam("now"),
        error_message=bindparam("why"),
        requests=bindparam("sent"),
        failed_requests=bindparam("unanswered"),
        attempts=ItemRow.attempts + 1,
    )
)


def _marked(job_id: int, outcome: Outcome) -> dict[str, Any]:
    return {
        "of_job": job_id,
        "of_number": outcome.item.index,
        "now": ItemState.DONE if outcome.ok else ItemState.FAILED,
        "why": as_text(outcome.error),
        "sent": outcome.requests,
        "unanswered": outcome.failed,
    }


def _new(job_id: int, item: Item) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "number": item.index,
        "source": as_text(item.source),
        "name": as_text(item.name),
        "result": as_text(item.result),
        "size": item.size,
        "state": ItemState.PENDING,
        "error_message": "",
        "requests": 0,
        "failed_requests": 0,
        "attempts": 0,
    }


def item_of(row: ItemRow) -> Item:
    """The item that a row keeps."""
    return Item(row.number, row.source, row.name, row.result, row.size)


def outcome_of(row: ItemRow) -> Outcome:
    """What became of the item that a row keeps."""
    return Outcome(
        item_of(row),
        ok=row.state == ItemState.DONE,
        error=row.error_message,
        requests=row.requests,
        failed=row.failed_requests,
    )
