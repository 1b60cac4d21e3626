"""How the API pages its lists: a record's position, how many from there, and two counts beside the items."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from mooring.api.leniency import Whole
from mooring.control.page import LIMIT, whole

T = TypeVar("T")


class Window(BaseModel):
    """Where a page begins, as a record's position from 0, and how long it may be."""

    offset: Whole = 0
    limit: Whole = LIMIT

    def of(self, items: Sequence[T]) -> list[T]:
        """Those of these items that are in it. Invalid (case `parameter-invalid`) for numbers that are too large."""
        start, count = whole("offset", self.offset), whole("limit", self.limit)
        return list(items[start : start + count])
