"""What answers about services hold, as ListServices and ShowService have it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from mooring.api.service_forms import KEPT
from mooring.control.service_views import JobView, ServiceView
from mooring.control.status import ServiceStatus

# What an entry of the configuration tells again, where it was said.
ENTRY_KEPT = (
    "cluster_id",
    "pool_name",
    "nodes",
    "affinity",
    "src_type",
    "src_path",
    "dest_path",
    "req_uri",
    "mapping_type",
    "mapping_rule",
    "error_threshold",
    "item_timeout_in_seconds",
    "concurrency",
)


class BatchProgress(BaseModel):
    """How far a batch service is, which is ours: inputs, requests (one for a file, one for each row of a table), times.

    `total` grows while the input is listed. `per_second` are requests, lately; `seconds_left` is a guess.
    """

    task_id: str
    total: int
    done: int
    failed: int
    requests: int
    failed_requests: int
    per_second: float
    seconds_left: int | None = None
    started_at: int | None = None
    finished_at: int | None = None


class ServiceItem(BaseModel):
    """A service in a list; times are in ms. `start_time`, `finished_time`, `batch_progress` are of batch services."""

    service_id: str
    service_name: str
    description: str
    tenant: str
    project: str
    owner: str
    publish_at: int
    infer_type: str
    workspace_id: str
    status: str
    progress: int | None = None
    start_time: int | None = None
    finished_time: int | None = None
    batch_progress: BatchProgress | None = None
    invocation_times: int
    failed_times: int
    is_shared: bool
    shared_count: int
    schedule: list[dict[str, Any]] | None = None
    due_time: int | None = None
    operation_time: int
    transition_at: int
    is_opened_sample_collection: bool
    is_free: bool
    additional_properties: dict[str, Any]


class EntryLogged(BaseModel):
    """One model of a configuration, as it was wished."""

    model_id: str
    model_name: str
    model_version: str
    weight: int | None = None
    specification: str
    custom_spec: dict[str, Any] | None = None
    envs: dict[str, str]
    instance_count: int
    deploy_timeout_in_seconds: int | None = None
    additional_properties: dict[str, Any]
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
    error_threshold: float | None = None
    item_timeout_in_seconds: float | None = None
    concurrency: int | None = None


class EntryShown(EntryLogged):
    """One model of a service as it is; `status` is ready, concerning or notReady."""

    source_type: str
    status: str
    scaling: bool
    support_debug: bool
    start_time: int | None = None
    finished_time: int | None = None


class ServiceShown(ServiceItem):
    """One service. `progress` is there while it is deploying or a job is running, `error_msg` when it has failed.

    Nobody calls a batch service: its `access_address` is empty.
    """

    access_address: str
    error_msg: str | None = None
    update_time: int
    debug_url: str
    cluster_id: str | None = None
    pool_name: str | None = None
    vpc_id: str | None = None
    subnet_network_id: str | None = None
    security_group_id: str | None = None
    load_balancer_policy: str | None = None
    priority: int | None = None
    service_secrets: list[dict[str, Any]] | None = None
    config: list[EntryShown]


class ServiceList(BaseModel):
    """A page of services: `total_count` is how many match, `count` how many are here."""

    total_count: int
    count: int
    services: list[ServiceItem]


class ServiceCreated(BaseModel):
    """The new service's id."""

    service_id: str
    resource_ids: list[str]


class Nothing(BaseModel):
    """An empty object."""


class Logged(BaseModel):
    """One configuration that a service had; `result` is RUNNING, SUCCESS or FAIL."""

    update_time: int
    result: str
    config: list[EntryLogged]
    extend_config: list[str]
    cluster_id: str | None = None


class UpdateLogs(BaseModel):
    """The configurations that a service had."""

    service_id: str
    service_name: str
    logs: list[Logged]


def item(view: ServiceView, tenant: str) -> ServiceItem:
    """A service as a list has it; `tenant` is the id of its project's domain."""
    return ServiceItem(**_item(view, tenant))


def shown(view: ServiceView, tenant: str, address: str) -> ServiceShown:
    """A service as it is shown alone; `address` is where it is called."""
    return ServiceShown(
        **_item(view, tenant),
        **{name: view.request[name] for name in KEPT if view.request.get(name) is not None},
        access_address="" if view.job else address,
        error_msg=view.error_msg if view.status == ServiceStatus.FAILED else None,
        update_time=view.updated_at,
        debug_url="",
        config=[
            EntryShown(
                **_entry(row),
                **_times(view),
                source_type="",
                status=row["status"],
                scaling=False,
                support_debug=False,
            )
            for row in view.config
        ],
    )


def logged(row: Mapping[str, Any]) -> EntryLogged:
    """One model of an earlier configuration."""
    return EntryLogged(**_entry(row))


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "model_id": row["model_id"],
        "model_name": row["model_name"],
        "model_version": row["model_version"],
        "weight": None if row.get("src_path") else row["weight"],
        "specification": row["specification"],
        "custom_spec": row.get("custom_spec"),
        "envs": row["envs"],
        "instance_count": row["instance_count"],
        "deploy_timeout_in_seconds": row.get("deploy_timeout_in_seconds"),
        "additional_properties": row.get("additional_properties") or {},
        **{name: row[name] for name in ENTRY_KEPT if row.get(name) is not None},
    }


def _progress(view: ServiceView) -> int | None:
    if view.status == ServiceStatus.DEPLOYING:
        return view.progress
    return view.job.percent if view.job else None


def _times(view: ServiceView) -> dict[str, Any]:
    return {"start_time": view.job.started_at, "finished_time": view.job.finished_at} if view.job else {}


def _batch_progress(job: JobView) -> BatchProgress:
    return BatchProgress(**{name: getattr(job, name) for name in BatchProgress.model_fields})


def _item(view: ServiceView, tenant: str) -> dict[str, Any]:
    return {
        "service_id": view.id,
        "service_name": view.service_name,
        "description": view.description,
        "tenant": tenant,
        "project": view.project_id,
        "owner": view.owner,
        "publish_at": view.published_at,
        "infer_type": view.infer_type,
        "workspace_id": view.workspace_id,
        "status": view.status,
        "progress": _progress(view),
        **_times(view),
        "batch_progress": _batch_progress(view.job) if view.job else None,
        "invocation_times": sum(view.calls.values()),
        "failed_times": sum(view.failures.values()),
        "is_shared": False,
        "shared_count": 0,
        "schedule": view.schedule,
        "due_time": view.due_at,
        "operation_time": view.operation_at,
        "transition_at": view.transition_at,
        "is_opened_sample_collection": False,
        "is_free": False,
        "additional_properties": view.additional_properties or {},
    }
