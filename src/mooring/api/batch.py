"""What became of the inputs of batch services, and another try for those that failed; ours."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from mooring.api.leniency import Lower, Whole, said
from mooring.api.platform import Caller, Held
from mooring.api.service_answers import Nothing
from mooring.control.page import LIMIT
from mooring.control.status import ItemState
from mooring.control.tasks import ItemQuery

router = APIRouter(prefix="/v1/{project_id}/services", tags=["extensions"])


class ItemFilters(BaseModel):
    """Which inputs of the last task; `offset` is a record's position."""

    state: Annotated[Lower, said(enum=["", *ItemState])] = ""
    offset: Whole = 0
    limit: Whole = LIMIT


class BatchItem(BaseModel):
    """One input; `result` is its name below the output, also of a table of which some rows failed."""

    number: int
    source: str
    state: str
    result: str
    error_message: str
    requests: int
    failed_requests: int


class BatchItems(BaseModel):
    """A page of inputs: `total_count` is how many match, `count` how many are here."""

    total_count: int
    count: int
    items: list[BatchItem]


@router.get("/{service_id}/batch/items", operation_id="ListBatchItems")
def items(caller: Caller, platform: Held, service_id: str, filters: Annotated[ItemFilters, Query()]) -> BatchItems:
    """The inputs of a batch service's last task in their order, and what became of each."""
    page = platform.services.items(caller, service_id, ItemQuery(**filters.model_dump()))
    here = [BatchItem(**{name: getattr(one, name) for name in BatchItem.model_fields}) for one in page.items]
    return BatchItems(total_count=page.total, count=len(here), items=here)


@router.post("/{service_id}/batch/retry", operation_id="CreateBatchRetry")
def retry(caller: Caller, platform: Held, service_id: str) -> Nothing:
    """Have the inputs that failed done again, and the list of results written anew."""
    platform.services.retry(caller, service_id)
    return Nothing()
