"""Services as callers wish them: created, changed, looked at, deleted. The reconciler makes them true."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mooring.control import tasks, wishes
from mooring.control.admission import Admission
from mooring.control.page import whole
from mooring.control.service_views import ServiceQuery, ServiceView, page_of, view_of
from mooring.control.status import ANSWERING, BATCH, INFER_TYPES, UNDER_WAY, Result, ServiceStatus, Target
from mooring.control.tables import Revision, Service
from mooring.errors import Conflict, Invalid, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.page import Page
    from mooring.control.settings import Settings
    from mooring.control.story import Story
    from mooring.control.tasks import ItemQuery, ItemView
    from mooring.control.wishes import ServiceChange, ServiceEntry, ServiceWish
    from mooring.gateway.table import Principal


@dataclass(frozen=True)
class UpdateLog:
    """One configuration that a service had, and what became of it."""

    update_time: int
    result: str
    config: tuple[Any, ...]


class Services:
    """The services of all projects; each call is made by somebody, and sees that project's alone."""

    def __init__(self, db: Database, story: Story, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._db = db
        self._story = story
        self._admission = Admission(settings)
        self._now_ms = now_ms
        # Called with a service's id after each wish about it; the reconciler listens.
        self.on_wish: Callable[[str], None] = lambda _: None
        # Looks at the input and the output of a new batch service.
        self.check_storage: Callable[[Mapping[str, Any]], None] = lambda _: None

    def create(self, principal: Principal, wish: ServiceWish) -> str:
        """Write the wish down and give the new service's id; it is deployed from then on.

        Raises:
            Invalid, Refused: the wish breaks a rule of CreateService, or asks for what is not to be had here.
            NotFound: `model-unknown`.
            Conflict: `service-exists`; a Refused of `services-quota` and `instances-quota`.
        """
        wishes.require_name(wish.service_name)
        wishes.require_description(wish.description)
        if wish.infer_type not in INFER_TYPES:
            wishes.unsupported(f"infer_type {wish.infer_type!r}", f"services are of {' or '.join(INFER_TYPES)}")
        made = str(uuid.uuid4())
        due = wishes.due_after_ms(wish.schedule)
        if wish.infer_type == BATCH:
            for entry in wish.config:
                self.check_storage(entry.extra)
        with self._db.begin() as session:
            self._admission.require_room(session, principal, wish.service_name, wish.infer_type)
            config = self._admission.config(session, principal, wish.config, wish.infer_type)
            now = self._now_ms()
            service = Service(
                id=made,
                project_id=principal.project_id,
                owner=principal.user_name,
                service_name=wish.service_name,
                infer_type=wish.infer_type,
                description=wish.description,
                workspace_id=wish.workspace_id,
                target=Target.RUNNING,
                status=ServiceStatus.DEPLOYING,
                error_msg="",
                progress=0,
                revision=1,
                serving_revision=0,
                schedule=list(map(dict, wish.schedule)) or None,
                additional_properties=_properties(wish.additional_properties),
                request=dict(wish.request),
                due_at=now + due if due else None,
                published_at=now,
                started_at=now,
                updated_at=now,
                transition_at=now,
                operation_at=now,
            )
            session.add(service)
            session.flush()
            session.add(revision := self._revision(made, 1, config, now))
            if _is_batch(service):
                tasks.begin(session, service, revision, now)
            self._story.tell(session, made, principal.project_id, "start to deploy service")
        self.on_wish(made)
        return made

    def update(self, principal: Principal, service_id: str, change: ServiceChange) -> None:
        """Change what is wanted of a service. With a `status`, that alone is looked at, as the API has it.

        Raises:
            NotFound: `service-unknown`.
            Conflict: `service-busy`, while it is deploying, stopping or being deleted.
        """
        with self._db.begin() as session:
            service = self._found(session, principal, service_id)
            service.operation_at = self._now_ms()
            if change.status is not None:
                self._set_status(session, service, change.status)
            else:
                self._change(session, principal, service, change)
        self.on_wish(service_id)

    def delete(self, principal: Principal, service_ids: tuple[str, ...]) -> None:
        """Let them go, and what runs for them. NotFound (`service-unknown`) when one is not there; then none goes."""
        with self._db.begin() as session:
            for service in [self._found(session, principal, service_id) for service_id in service_ids]:
                service.target = Target.DELETED
                service.status = ServiceStatus.DELETING
                service.transition_at = service.operation_at = self._now_ms()
        for service_id in service_ids:
            self.on_wish(service_id)

    def get(self, principal: Principal, service_id: str) -> ServiceView:
        """One service. NotFound (`service-unknown`)."""
        with self._db.read() as session:
            return view_of(session, self._found(session, principal, service_id))

    def list(self, principal: Principal, query: ServiceQuery) -> Page[ServiceView]:
        """The services that match. Invalid (`parameter-invalid`) for a filter that none can match."""
        with self._db.read() as session:
            return page_of(session, principal.project_id, query)

    def update_logs(
        self, principal: Principal, service_id: str, *, since_ms: int = 0
    ) -> tuple[ServiceView, tuple[UpdateLog, ...]]:
        """The service, and its configurations from `since_ms` on, the newest first."""
        whole("update_time", since_ms)
        with self._db.read() as session:
            service = self._found(session, principal, service_id)
            found = session.scalars(
                select(Revision)
                .where(Revision.service_id == service.id, Revision.created_at >= since_ms)
                .order_by(Revision.number.desc())
            )
            logs = tuple(UpdateLog(one.created_at, one.result, tuple(one.config)) for one in found)
            return view_of(session, service), logs

    def retry(self, principal: Principal, service_id: str) -> None:
        """Have the inputs of a batch service's last task that failed done again, and its list of results written anew.

        Raises:
            NotFound: `service-unknown`; `task-unknown` for a service that is no batch service.
            Conflict: `service-busy` while it is on its way or running; `nothing-failed`.
        """
        with self._db.begin() as session:
            service = self._found(session, principal, service_id)
            if service.status in UNDER_WAY | ANSWERING:
                raise _busy(service)
            tasks.retry(session, service)
            service.operation_at = self._now_ms()
            self._start(session, service)
        self.on_wish(service_id)

    def items(self, principal: Principal, service_id: str, query: ItemQuery) -> Page[ItemView]:
        """The inputs of a batch service's last task. NotFound: `service-unknown`, `task-unknown`."""
        with self._db.read() as session:
            return tasks.items_page(session, self._found(session, principal, service_id), query)

    def _found(self, session: Session, principal: Principal, service_id: str) -> Service:
        service = session.get(Service, service_id)
        if service is None or service.project_id != principal.project_id:
            raise NotFound(
                f"there is no service {service_id[:100]!r} in this project",
                hint="mooring services lists them",
                case="service-unknown",
            )
        return service

    def _revision(self, service_id: str, number: int, config: Sequence[dict[str, Any]], now: int) -> Revision:
        return Revision(
            service_id=service_id,
            number=number,
            config=list(config),
            result=Result.RUNNING,
            error_msg="",
            created_at=now,
            deadline_at=now + self._admission.patience_ms(config),
            ended_at=None,
        )

    def _set_status(self, session: Session, service: Service, status: str) -> None:
        wanted = status.lower()
        if wanted not in (Target.RUNNING, Target.STOPPED):
            raise Invalid(f"status is {status[:100]!r}; it must be running or stopped", case="parameter-invalid")
        if service.status in UNDER_WAY:
            raise _busy(service)
        if wanted == Target.RUNNING and service.status not in ANSWERING:
            self._start(session, service)
        elif wanted == Target.STOPPED and service.status != ServiceStatus.STOPPED:
            self._turn(service, Target.STOPPED, ServiceStatus.STOPPING)
            self._story.tell(session, service.id, service.project_id, "stopping service")

    def _start(self, session: Session, service: Service) -> None:
        now = self._now_ms()
        self._turn(service, Target.RUNNING, ServiceStatus.DEPLOYING)
        # Nothing of it runs: there is no earlier configuration to go back to.
        service.serving_revision, service.error_msg, service.started_at = 0, "", now
        due = wishes.due_after_ms(service.schedule or ())
        service.due_at = now + due if due else None
        revision = session.get_one(Revision, (service.id, service.revision))
        revision.deadline_at = now + self._admission.patience_ms(revision.config)
        revision.result, revision.error_msg, revision.ended_at = Result.RUNNING, "", None
        if _is_batch(service):
            tasks.begin(session, service, revision, now)
        self._story.tell(session, service.id, service.project_id, "start to deploy service")

    def _turn(self, service: Service, target: Target, status: ServiceStatus) -> None:
        service.target, service.status = target, status
        service.transition_at = self._now_ms()
        service.progress = 0

    def _change(self, session: Session, principal: Principal, service: Service, change: ServiceChange) -> None:
        if change.config is not None and service.status in UNDER_WAY | (ANSWERING if _is_batch(service) else set()):
            raise _busy(service)
        if change.description is not None:
            wishes.require_description(change.description)
            service.description = change.description
        if change.schedule is not None:
            due = wishes.due_after_ms(change.schedule)
            service.schedule = list(map(dict, change.schedule)) or None
            service.due_at = self._now_ms() + due if due and service.status in ANSWERING else None
        if change.additional_properties is not None:
            service.additional_properties = _properties(change.additional_properties, service.additional_properties)
        service.request = {**service.request, **change.request}
        if change.config is not None:
            self._reconfigure(session, principal, service, change.config)

    def _reconfigure(
        self, session: Session, principal: Principal, service: Service, wanted: tuple[ServiceEntry, ...]
    ) -> None:
        config = self._admission.config(session, principal, wanted, service.infer_type)
        now = self._now_ms()
        # After a failed update the revision is an earlier one again, and the failed one keeps its number.
        last = session.scalar(select(func.max(Revision.number)).where(Revision.service_id == service.id)) or 0
        revision = self._revision(service.id, last + 1, config, now)
        session.add(revision)
        service.revision = revision.number
        service.updated_at = now
        if service.status in ANSWERING:
            self._turn(service, Target.RUNNING, ServiceStatus.DEPLOYING)
            self._story.tell(session, service.id, service.project_id, "updating service")
        elif service.status in (ServiceStatus.FAILED, ServiceStatus.FINISHED):
            self._start(session, service)
        else:
            # It stays stopped; the next start is with this.
            service.serving_revision = 0
            revision.result, revision.ended_at = Result.SUCCESS, now


def _is_batch(service: Service) -> bool:
    return service.infer_type == BATCH


def _busy(service: Service) -> Conflict:
    return Conflict(
        f"service {service.service_name} is {service.status}, and cannot be changed meanwhile",
        hint=f"wait until it is {'finished' if _is_batch(service) else 'running'}, failed or stopped",
        case="service-busy",
    )


def _properties(wanted: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The service's additional_properties. A WebSocket service stays one (CreateService)."""
    had = bool((before or {}).get("websocket_upgrade"))
    now = wanted.get("websocket_upgrade", had)
    if not isinstance(now, bool):
        raise Invalid(f"websocket_upgrade is {now!r}; it must be true or false", case="parameter-invalid")
    if had and not now:
        raise Refused(
            "websocket_upgrade cannot be turned off again", hint="make another service", case="websocket-final"
        )
    found = {**wanted, **({"websocket_upgrade": True} if now else {})}
    return found or None
