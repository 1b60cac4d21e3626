"""One page of a list, as every list of the v1 API is given: some items, and how many there are in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import func, select

from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

T = TypeVar("T")
R = TypeVar("R")
LIMIT = 1000
# What both databases keep as a whole number.
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Page(Generic[T]):
    """The items from one position on, and `total`, the number of all that match."""

    total: int
    items: tuple[T, ...] = ()

    def map(self, make: Callable[[T], R]) -> Page[R]:
        """The same page of what `make` makes of each item."""
        return Page(self.total, tuple(make(item) for item in self.items))


def read_page(session: Session, statement: Select[Any], *, offset: int = 0, limit: int = LIMIT) -> Page[Any]:
    """The page of an ordered statement that selects one entity; `offset` is a record position (not a page's number).

    Invalid (case `parameter-invalid`) for an offset or a limit below 0, or too large for a database.
    """
    whole("offset", offset)
    whole("limit", limit)
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    items = session.scalars(statement.offset(offset).limit(limit)).all()
    return Page(total or 0, tuple(items))


def whole(name: str, value: int) -> int:
    """The value, if it is a whole number from 0 that a database can keep; else Invalid (case `parameter-invalid`)."""
    if not 0 <= value <= LARGEST:
        raise Invalid(
            f"{name} is {value}; it must be a whole number from 0 to {LARGEST}",
            hint=f"leave {name} out for its default",
            case="parameter-invalid",
        )
    return value
