"""What requests about services hold, as the v1 API has it (CreateService, UpdateService, ListServices)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from mooring.api.leniency import DESCRIPTION, Flag, Lower, Number, Order, Text, Upper, Whole, one_of, said
from mooring.control.admission import MOST_ENTRIES
from mooring.control.page import LIMIT
from mooring.control.service_views import SORTED_BY, ServiceQuery
from mooring.control.status import INFER_TYPES, ServiceStatus
from mooring.control.wishes import NAME, POLICIES, UNIT_MS, ServiceChange, ServiceEntry, ServiceWish

# What stands beside config[] and is kept, to be told again.
KEPT = (
    "cluster_id",
    "pool_name",
    "vpc_id",
    "subnet_network_id",
    "security_group_id",
    "load_balancer_policy",
    "priority",
    "service_secrets",
)
Policy = Annotated[Literal["ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP"], one_of(*POLICIES)]
Priority = Annotated[Whole, Field(ge=1, le=3), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 3})]


class CustomSpec(BaseModel):
    """A size of its own: `cpu` in cores, `memory` in MB."""

    cpu: Number | None = None
    memory: Number | None = None
    gpu_p4: Number | None = None
    ascend_a310: Number | None = None


class EntryBody(BaseModel):
    """One model of a service (`config[]`); `weight` is a whole number, also as text. The last nine are for batch."""

    model_id: str
    specification: str
    instance_count: Whole = 1
    weight: Whole | None = None
    custom_spec: CustomSpec | None = None
    envs: dict[str, str] | None = None
    deploy_timeout_in_seconds: Whole | None = None
    additional_properties: dict[str, Any] | None = None
    cluster_id: str | None = None
    pool_name: str | None = None
    nodes: list[Any] | None = None
    affinity: dict[str, Any] | None = None
    src_type: str | None = None
    src_path: str | None = None
    dest_path: str | None = None
    req_uri: str | None = None
    mapping_type: str | None = None
    mapping_rule: dict[str, Any] | None = None
    error_threshold: Number | None = Field(None, description="Percent of failed inputs that end the job; ours.")
    item_timeout_in_seconds: Number | None = Field(None, description="For the answer to one request; ours.")
    concurrency: Whole | None = Field(None, description="Requests that an instance gets at a time; ours.")

    def entry(self, *, weight: int | None, timeout_seconds: int | None) -> ServiceEntry:
        """What is asked of the services; the weight and the timeout are for an entry that has none of its own."""
        told = {name for name in ServiceEntry.__dataclass_fields__ if name != "extra"}
        extra = self.model_dump(exclude=told, exclude_none=True)
        return ServiceEntry(
            model_id=self.model_id,
            specification=self.specification,
            instance_count=self.instance_count,
            weight=weight if self.weight is None else self.weight,
            custom_spec=self.custom_spec.model_dump(exclude_none=True) if self.custom_spec else None,
            envs=self.envs or {},
            deploy_timeout_in_seconds=self.deploy_timeout_in_seconds or timeout_seconds,
            additional_properties=self.additional_properties or {},
            extra=extra,
        )


class ScheduleBody(BaseModel):
    """When a service stops by itself: so long after its start."""

    type: Annotated[Lower, said(enum=["stop"])]
    time_unit: Annotated[Upper, said(enum=list(UNIT_MS))]
    duration: Whole


class _Wished(BaseModel):
    """What a service can be given when it is made and later."""

    description: Annotated[str, DESCRIPTION] | None = None
    workspace_id: Text | None = None
    schedule: list[ScheduleBody] | None = None
    additional_properties: dict[str, Any] | None = None
    cluster_id: str | None = None
    pool_name: str | None = None
    load_balancer_policy: Policy | None = None
    priority: Priority | None = None
    service_secrets: list[dict[str, Any]] | None = None
    weight: Whole | None = Field(None, description="For a model in config that has none; some clients put it here.")
    deploy_timeout_seconds: Whole | None = Field(None, description="For models in config that have none.")

    def _entries(self, config: list[EntryBody]) -> tuple[ServiceEntry, ...]:
        return tuple(one.entry(weight=self.weight, timeout_seconds=self.deploy_timeout_seconds) for one in config)

    def _schedule(self) -> tuple[dict[str, Any], ...]:
        return tuple(one.model_dump() for one in self.schedule or ())

    def _kept(self) -> dict[str, Any]:
        return self.model_dump(include=set(KEPT), exclude_none=True)


class ServiceBody(_Wished):
    """CreateService. Fields that it does not know are taken no notice of."""

    service_name: Annotated[str, said(pattern=f"^{NAME.pattern}$")]
    infer_type: Annotated[Lower, said(enum=list(INFER_TYPES))]
    config: Annotated[list[EntryBody], said(minItems=1, maxItems=MOST_ENTRIES)]
    vpc_id: str | None = None
    subnet_network_id: str | None = None
    security_group_id: str | None = None

    def wish(self) -> ServiceWish:
        """What is asked of the services."""
        return ServiceWish(
            service_name=self.service_name,
            infer_type=self.infer_type,
            config=self._entries(self.config),
            description=self.description or "",
            workspace_id=self.workspace_id or "0",
            schedule=self._schedule(),
            additional_properties=self.additional_properties or {},
            request=self._kept(),
        )


class ChangeBody(_Wished):
    """UpdateService: with a `status`, that alone counts; what is absent stays as it is."""

    status: Annotated[Lower, said(enum=["running", "stopped"])] | None = None
    config: list[EntryBody] | None = None

    def change(self) -> ServiceChange:
        """What is asked of the services."""
        return ServiceChange(
            status=self.status,
            config=None if self.config is None else self._entries(self.config),
            description=self.description,
            schedule=None if self.schedule is None else self._schedule(),
            additional_properties=self.additional_properties,
            request=self._kept(),
        )


class ServiceFilters(BaseModel):
    """ListServices. `offset` is a record's position; `env` is what one client calls `model_id`."""

    service_id: str = ""
    service_name: str = Field("", description="A part of the name.")
    exact_match: Flag = Field(default=False, description="The whole name, not a part of it; ours.")
    model_id: str = ""
    env: str = ""
    workspace_id: str = ""
    infer_type: Lower = ""
    status: Annotated[Lower, said(enum=["", *ServiceStatus])] = ""
    cluster_id: str = ""
    offset: Whole = Field(0, description="The position of the first record, from 0.")
    limit: Whole = LIMIT
    sort_by: Annotated[Lower, said(enum=list(SORTED_BY))] = "publish_at"
    order: Order = "desc"

    def query(self) -> ServiceQuery:
        """What is asked of the services."""
        said = self.model_dump(exclude={"env"})
        return ServiceQuery(**{**said, "model_id": self.model_id or self.env})
