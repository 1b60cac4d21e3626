"""Events over REST, of services and of models, as ShowServiceEvents has them."""

from typing import Annotated

from pydantic import BaseModel, Field

from mooring.api.leniency import Lower, Order, Whole, said
from mooring.control.page import LIMIT
from mooring.control.story import ABNORMAL, NORMAL, EventQuery, EventView


class EventItem(BaseModel):
    """One line of a story; `occur_time` is in ms."""

    event_type: str
    event_info: str
    occur_time: int

    @classmethod
    def of(cls, view: EventView) -> "EventItem":
        """The event as it is told."""
        return cls(event_type=view.event_type, event_info=view.event_info, occur_time=view.occur_time)


class EventFilters(BaseModel):
    """Which events. Times are in ms, `offset` is a record's position."""

    event_type: Annotated[Lower, said(enum=["", NORMAL, ABNORMAL])] = ""
    event_info: str = Field("", description="A part of the line; some characters are not taken.")
    start_time: Whole | None = None
    end_time: Whole | None = None
    offset: Whole = 0
    limit: Whole = LIMIT
    sort_by: Annotated[Lower, said(enum=["occur_time"])] = "occur_time"
    order: Order = "desc"

    def query(self) -> EventQuery:
        """What is asked of the story."""
        return EventQuery(**self.model_dump())
