"""What happened to a model or a service, line by line, as the v1 API tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, or_, select

from mooring.control.page import LIMIT, read_page, whole
from mooring.control.tables import Event, Model
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.page import Page

NORMAL, ABNORMAL = "normal", "abnormal"
# ShowServiceEvents names the characters that its filter does not take.
FORBIDDEN = "`(){}';,[]<>/?\\"
DAY_MS = 24 * 3600 * 1000
# A service's events are kept for a month, a model's for three (modelarts_01_0023, modelarts_06_0008).
SERVICE_MS, MODEL_MS = 30 * DAY_MS, 90 * DAY_MS


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One line: what happened, when (ms), and whether it is normal or abnormal."""

    event_type: str
    event_info: str
    occur_time: int


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """Which events, as ShowServiceEvents has its parameters; times in ms, both included, None for no bound.

    `event_info` is a part of the line, in letters of either case.
    """

    event_type: str = ""
    event_info: str = ""
    start_time: int | None = None
    end_time: int | None = None
    offset: int = 0
    limit: int = LIMIT
    sort_by: str = "occur_time"
    order: str = "desc"


class Story:
    """The events of all models and services."""

    def __init__(self, db: Database, now_ms: Callable[[], int]) -> None:
        self._db = db
        self._now_ms = now_ms

    def tell(self, session: Session, subject_id: str, project_id: str, info: str, *, abnormal: bool = False) -> None:
        """Add a line now, in the transaction of what it tells about."""
        session.add(
            Event(
                project_id=project_id,
                subject_id=subject_id,
                event_type=ABNORMAL if abnormal else NORMAL,
                event_info=info,
                occurred_at=self._now_ms(),
            )
        )

    def events(self, project_id: str, subject_id: str, query: EventQuery) -> Page[EventView]:
        """The lines that match. Invalid (case `parameter-invalid`) for a filter that no event can match."""
        statement = _filtered(query).where(Event.project_id == project_id, Event.subject_id == subject_id)
        columns = (Event.occurred_at, Event.id)
        statement = statement.order_by(
            *(each.asc() if query.order.lower() == "asc" else each.desc() for each in columns)
        )
        with self._db.read() as session:
            return read_page(session, statement, offset=query.offset, limit=query.limit).map(_view)

    def prune(self) -> int:
        """Forget what is older than is kept, a month of services and three of models; how many lines that were."""
        now = self._now_ms()
        of_services = and_(Event.occurred_at < now - SERVICE_MS, Event.subject_id.not_in(select(Model.id)))
        with self._db.begin() as session:
            done = session.execute(delete(Event).where(or_(of_services, Event.occurred_at < now - MODEL_MS)))
            return int(done.rowcount)  # type: ignore[attr-defined]  # a DELETE's result counts its rows


def _filtered(query: EventQuery) -> Select[Any]:
    """The events that match the filters. Invalid for a filter that none can match."""
    _one_of("event_type", query.event_type, ("", NORMAL, ABNORMAL))
    _one_of("order", query.order, ("asc", "desc"))
    _one_of("sort_by", query.sort_by, ("occur_time",))
    if strange := sorted(set(query.event_info) & set(FORBIDDEN)):
        raise Invalid(
            f"event_info must not contain {strange[0]!r}",
            hint=f"leave out {' '.join(FORBIDDEN)}",
            case="parameter-invalid",
        )
    statement = select(Event)
    if query.event_type:
        statement = statement.where(Event.event_type == query.event_type.lower())
    if query.event_info:
        statement = statement.where(Event.event_info.icontains(query.event_info, autoescape=True))
    if query.start_time is not None:
        statement = statement.where(Event.occurred_at >= whole("start_time", query.start_time))
    if query.end_time is not None:
        statement = statement.where(Event.occurred_at <= whole("end_time", query.end_time))
    return statement


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value.lower() not in choices:
        choice = " or ".join(filter(None, choices))
        raise Invalid(f"{name} is {value!r}; it must be {choice}", case="parameter-invalid")


def _view(event: Event) -> EventView:
    return EventView(event_type=event.event_type, event_info=event.event_info, occur_time=event.occurred_at)
