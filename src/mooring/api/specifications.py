"""The sizes that instances can have, as ShowServiceSpecifications tells them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from mooring.api.leniency import Flag, Lower
from mooring.api.paging import Window
from mooring.api.platform import Caller, Held
from mooring.contract.fact import GB, MB
from mooring.control.flavors import Flavor

router = APIRouter(prefix="/v1/{project_id}/services", tags=["services"])


class SpecificationQuery(Window):
    """Which sizes; all are for both types of services, and of no cluster."""

    is_personal_cluster: Flag = False
    infer_type: Lower = "real-time"


class Specification(BaseModel):
    """One size; what it has none of is filled with zeros."""

    specification: str
    billing_spec: str
    category: str
    cpu_info: dict[str, Any]
    memory_info: dict[str, Any]
    gpu_info: dict[str, Any]
    npu_info: dict[str, Any]
    spec_status: str
    is_open: bool
    is_free: bool
    over_quota: bool
    source_type: str
    extend_params: int
    display_en: str
    display_cn: str


class Specifications(BaseModel):
    """The sizes that there are; any service may bring one of its own, as `custom` with a `custom_spec`."""

    total_count: int
    count: int
    specifications: list[Specification]


@router.get("/specifications", operation_id="ShowServiceSpecifications")
def specifications(caller: Caller, platform: Held, query: Annotated[SpecificationQuery, Query()]) -> Specifications:  # noqa: ARG001 - who asks is checked
    """The sizes that a service can name in `specification`."""
    flavors = platform.settings.flavors
    here = [_told(flavor) for flavor in query.of(flavors)]
    return Specifications(total_count=len(flavors), count=len(here), specifications=here)


def _told(flavor: Flavor) -> Specification:
    whole = flavor.memory_bytes % GB == 0
    memory = {"unit": "GB" if whole else "MB", "memory": flavor.memory_bytes // (GB if whole else MB)}
    nothing = {"brand": "", "version": "", "unit": "GB", "memory": 0}
    return Specification(
        specification=flavor.name,
        billing_spec=flavor.name,
        category=flavor.category,
        cpu_info={"arch": "x86", "cpu": flavor.cpu_cores},
        memory_info=memory,
        gpu_info={**nothing, "gpu": 0},
        npu_info={**nothing, "npu": 0},
        spec_status="normal",
        is_open=True,
        is_free=True,
        over_quota=False,
        source_type="",
        extend_params=0,
        display_en=flavor.display or flavor.name,
        display_cn=flavor.display or flavor.name,
    )
