"""Tasks of batch services, as wishes begin them: a new one, the same one again, or the failed part of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from mooring.control.batch_wishes import BatchWish, batch_wish
from mooring.control.page import LIMIT, read_page
from mooring.control.status import ItemState, JobState
from mooring.control.tables import Item, Job, Model
from mooring.errors import Conflict, Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from mooring.control.page import Page
    from mooring.control.tables import Revision, Service


@dataclass(frozen=True, kw_only=True)
class ItemQuery:
    """Which inputs of a task: `state` is pending, done, failed, or "" for all."""

    state: str = ""
    offset: int = 0
    limit: int = LIMIT


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """One input: its source without what signs it, and what became of it."""

    number: int
    source: str
    state: str
    result: str
    error_message: str
    requests: int
    failed_requests: int


def newest_job(session: Session, service_id: str) -> Job | None:
    """The job that counts."""
    return session.scalar(select(Job).where(Job.service_id == service_id).order_by(Job.id.desc()).limit(1))


def begin(session: Session, service: Service, revision: Revision, now_ms: int) -> None:
    """Go on with the task that is not over, when it is of this configuration; else begin a new one."""
    job = newest_job(session, service.id)
    if job and job.state != JobState.FINISHED and job.revision == revision.number:
        return
    [row] = revision.config
    session.add(
        Job(
            service_id=service.id,
            task_id=str(uuid.uuid4()),
            revision=revision.number,
            wish=_wish(session, row).row(),
            state=JobState.NEW,
            created_at=now_ms,
            **dict.fromkeys(("total", "done", "failed", "requests", "failed_requests", "live", "rate", "parts"), 0),
        )
    )


def _wish(session: Session, row: Mapping[str, Any]) -> BatchWish:
    model = session.get(Model, row["model_id"])
    return batch_wish(row, model.config if model else None)


def retry(session: Session, service: Service) -> None:
    """Let the failed inputs of the newest task be done again. Conflict (`nothing-failed`) when there are none."""
    job = _job(session, service)
    if not job.failed:
        raise Conflict(
            f"no input of service {service.service_name} has failed",
            hint="a stopped or failed service goes on when it is started",
            case="nothing-failed",
        )
    failed = (Item.job_id == job.id, Item.state == ItemState.FAILED)
    sent = select(func.sum(Item.requests), func.sum(Item.failed_requests)).where(*failed)
    requests, failed_requests = session.execute(sent).one()
    again = {"state": ItemState.PENDING, "error_message": "", "requests": 0, "failed_requests": 0}
    session.execute(update(Item).where(*failed).values(**again))
    job.requests -= int(requests)
    job.failed_requests -= int(failed_requests)
    job.failed, job.finished_at, job.state = 0, None, JobState.FEEDING


def items_page(session: Session, service: Service, query: ItemQuery) -> Page[ItemView]:
    """A page of the newest task's inputs, in their order. NotFound (`task-unknown`), Invalid (`parameter-invalid`)."""
    found = select(Item).where(Item.job_id == _job(session, service).id)
    if query.state:
        if query.state not in set(ItemState):
            raise Invalid(
                f"state is {query.state[:50]!r}; it must be one of {', '.join(ItemState)}", case="parameter-invalid"
            )
        found = found.where(Item.state == query.state)
    return read_page(session, found.order_by(Item.number), offset=query.offset, limit=query.limit).map(_view)


def _job(session: Session, service: Service) -> Job:
    job = newest_job(session, service.id)
    if job is None:
        raise NotFound(
            f"service {service.service_name} has no task",
            hint="only services of infer_type batch have tasks",
            case="task-unknown",
        )
    return job


def jobs_of(session: Session, service_ids: Sequence[str]) -> dict[str, Job]:
    """The newest job of each service that has one."""
    newest = select(func.max(Job.id)).where(Job.service_id.in_(service_ids)).group_by(Job.service_id)
    return {job.service_id: job for job in session.scalars(select(Job).where(Job.id.in_(newest)))}


def _view(item: Item) -> ItemView:
    is_web = item.source.startswith(("http://", "https://"))
    return ItemView(
        number=item.number,
        source=item.source.partition("?")[0] if is_web else item.source,
        state=item.state,
        result=item.result if item.state != ItemState.PENDING else "",
        error_message=item.error_message,
        requests=item.requests,
        failed_requests=item.failed_requests,
    )
