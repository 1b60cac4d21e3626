"""Services as they are shown: one, or a page of those that match."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, select

from mooring.control.page import LIMIT, Page, read_page
from mooring.control.status import BATCH, EntryStatus, JobState, ServiceStatus
from mooring.control.tables import Replica, Revision, Service, Totals
from mooring.control.tasks import jobs_of
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from mooring.control.tables import Job

SORTED_BY = {
    "publish_at": Service.published_at,
    "service_name": Service.service_name,
    "transition_at": Service.transition_at,
}


@dataclass(frozen=True, kw_only=True)
class ServiceQuery:
    """Which services, as ListServices has its parameters; "" for all. A name matches in part."""

    service_id: str = ""
    service_name: str = ""
    exact_match: bool = False
    model_id: str = ""
    workspace_id: str = ""
    infer_type: str = ""
    status: str = ""
    cluster_id: str = ""
    offset: int = 0
    limit: int = LIMIT
    sort_by: str = "publish_at"
    order: str = "desc"


@dataclass(frozen=True, kw_only=True)
class JobView:
    """How far a batch service is: `total` inputs (of which there may be more until all are listed), so many done.

    `requests` are sent until now, one for a file and one for each row of a table, `per_second` lately; `seconds_left`
    is a guess, None when there is nothing to guess by.
    """

    task_id: str
    state: str
    total: int
    done: int
    failed: int
    requests: int
    failed_requests: int
    per_second: float
    seconds_left: int | None
    started_at: int | None
    finished_at: int | None

    @property
    def percent(self) -> int:
        """How much of the input has an outcome, rounded down."""
        listed = self.state in (JobState.FEEDING, JobState.FINISHED)
        return (self.done + self.failed) * 100 // self.total if self.total and listed else 0


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """A service as it is at one moment.

    `config` are the rows of the configuration that is wanted, each with its `status` (ready, concerning, notReady) and
    `ready_count`. Times are in ms. `calls` and `failures` are by model id, since the service exists.
    """

    id: str
    project_id: str
    owner: str
    service_name: str
    description: str
    infer_type: str
    workspace_id: str
    status: str
    error_msg: str
    progress: int
    revision: int
    config: tuple[Mapping[str, Any], ...]
    schedule: list[Any] | None
    additional_properties: Mapping[str, Any] | None
    request: Mapping[str, Any]
    due_at: int | None
    published_at: int
    started_at: int | None
    updated_at: int
    transition_at: int
    operation_at: int
    calls: Mapping[str, int]
    failures: Mapping[str, int]
    job: JobView | None = None


def view_of(session: Session, service: Service) -> ServiceView:
    """One service with all that is shown of it."""
    return views_of(session, [service])[0]


def views_of(session: Session, services: list[Service]) -> tuple[ServiceView, ...]:
    """Services with all that is shown of them, in as many queries for many as for one."""
    ids = [service.id for service in services]
    wanted = select(Revision).join(Service, (Revision.service_id == Service.id) & (Revision.number == Service.revision))
    configs = {one.service_id: one.config for one in session.scalars(wanted.where(Service.id.in_(ids)))}
    ready: dict[tuple[str, str], int] = {}
    for service_id, model_id, count in session.execute(
        select(Replica.service_id, Replica.model_id, func.count())
        .where(Replica.service_id.in_(ids), Replica.ready_at.is_not(None), Replica.draining_at.is_(None))
        .group_by(Replica.service_id, Replica.model_id)
    ):
        ready[service_id, model_id] = count
    totals: dict[str, list[Totals]] = {}
    for one in session.scalars(select(Totals).where(Totals.service_id.in_(ids))):
        totals.setdefault(one.service_id, []).append(one)
    jobs = jobs_of(session, [service.id for service in services if service.infer_type == BATCH])
    return tuple(
        replace(
            _view(service, configs[service.id], ready, totals.get(service.id, [])), job=_job_view(jobs.get(service.id))
        )
        for service in services
    )


def _job_view(job: Job | None) -> JobView | None:
    if job is None:
        return None
    done, sent = job.done + job.failed, job.requests + job.live
    seconds = None
    if job.rate and done:
        # As many requests for each input as until now.
        seconds = max(job.total * job.requests / done - sent, 0) * 1000 / job.rate
    return JobView(
        task_id=job.task_id,
        state=job.state,
        total=job.total,
        done=job.done,
        failed=job.failed,
        requests=sent,
        failed_requests=job.failed_requests,
        per_second=job.rate / 1000,
        seconds_left=None if seconds is None else int(seconds),
        started_at=job.started_at or job.created_at,
        finished_at=job.finished_at,
    )


def _view(
    service: Service, config: list[Any], ready: Mapping[tuple[str, str], int], totals: list[Totals]
) -> ServiceView:
    rows = []
    for row in config:
        count = ready.get((service.id, row["model_id"]), 0)
        rows.append({**row, "status": entry_status(count, row["instance_count"]), "ready_count": count})
    return ServiceView(
        id=service.id,
        project_id=service.project_id,
        owner=service.owner,
        service_name=service.service_name,
        description=service.description,
        infer_type=service.infer_type,
        workspace_id=service.workspace_id,
        status=service.status,
        error_msg=service.error_msg,
        progress=service.progress,
        revision=service.revision,
        config=tuple(rows),
        schedule=service.schedule,
        additional_properties=service.additional_properties,
        request=service.request,
        due_at=service.due_at,
        published_at=service.published_at,
        started_at=service.started_at,
        updated_at=service.updated_at,
        transition_at=service.transition_at,
        operation_at=service.operation_at,
        calls={one.model_id: one.calls for one in totals},
        failures={one.model_id: one.failures for one in totals},
    )


def entry_status(ready: int, wanted: int) -> EntryStatus:
    """How a model of a service is, by how many of its instances are ready."""
    if ready >= wanted:
        return EntryStatus.READY
    return EntryStatus.CONCERNING if ready else EntryStatus.NOT_READY


def page_of(session: Session, project_id: str, query: ServiceQuery) -> Page[ServiceView]:
    """One page of a project's services."""
    page = read_page(session, _statement(project_id, query), offset=query.offset, limit=query.limit)
    return Page(page.total, views_of(session, list(page.items)))


def _statement(project_id: str, query: ServiceQuery) -> Select[Any]:
    found = select(Service).where(Service.project_id == project_id)
    if query.service_id:
        found = found.where(Service.id == query.service_id)
    if query.service_name:
        name = Service.service_name
        same = name == query.service_name if query.exact_match else name.icontains(query.service_name, autoescape=True)
        found = found.where(same)
    if query.workspace_id:
        found = found.where(Service.workspace_id == query.workspace_id)
    if query.infer_type:
        found = found.where(Service.infer_type == query.infer_type)
    if query.status:
        found = found.where(Service.status == _status(query.status))
    if query.cluster_id:
        found = found.where(Service.request["cluster_id"].as_string() == query.cluster_id)
    if query.model_id:
        found = found.where(Service.id.in_(_with_model(query.model_id)))
    return found.order_by(*_order(query))


def _status(text: str) -> str:
    wanted = text.lower()
    if wanted not in set(ServiceStatus) | {"pending", "waiting"}:
        raise Invalid(
            f"status is {text[:100]!r}; it must be one of {', '.join(ServiceStatus)}", case="parameter-invalid"
        )
    return wanted


def _with_model(model_id: str) -> Select[Any]:
    """The services whose configuration, as it is wanted, has that model."""
    # An id is a UUID, and the configuration JSON: every database can look for the one in the other as text.
    mention = cast(Revision.config, Text).contains(model_id, autoescape=True)
    return (
        select(Service.id)
        .join(Revision, Revision.service_id == Service.id)
        .where(Revision.number == Service.revision, mention)
    )


def _order(query: ServiceQuery) -> tuple[Any, Any]:
    column = SORTED_BY.get(query.sort_by)
    if column is None or query.order not in ("asc", "desc"):
        raise Invalid(
            f"sort_by is {query.sort_by[:50]!r} and order {query.order[:50]!r}; sort_by must be one of "
            f"{', '.join(SORTED_BY)}, and order asc or desc",
            case="parameter-invalid",
        )
    return (column.desc(), Service.id) if query.order == "desc" else (column.asc(), Service.id)
