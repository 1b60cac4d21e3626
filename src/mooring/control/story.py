"""What happened to a model or a service, line by line, as the v1 API tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.control.page import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.page import Page

NORMAL, ABNORMAL = "normal", "abnormal"


@dataclass(frozen=True, kw_only=True)
class EventView:
    """One line: what happened, when (ms), and whether it is normal or abnormal."""

    event_type: str
    event_info: str
    occur_time: int


@dataclass(frozen=True, kw_only=True)
class EventQuery:
    """Which events, as ShowServiceEvents has its parameters; times in ms, both included, None for no bound."""

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
        raise NotImplementedError

    def tell(self, session: Session, subject_id: str, project_id: str, info: str, *, abnormal: bool = False) -> None:
        """Add a line now, in the transaction of what it tells about."""
        raise NotImplementedError

    def events(self, project_id: str, subject_id: str, query: EventQuery) -> Page[EventView]:
        """The lines that match. Invalid (case `parameter-invalid`) for a filter that no event can match."""
        raise NotImplementedError

    def prune(self) -> int:
        """Forget what is older than is kept, a month of services and three of models; how many lines that were."""
        raise NotImplementedError
