"""How services are doing, over REST, as ShowServiceMonitorInfo tells it."""

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import BaseModel

from mooring.api.platform import Caller, Held, Platform
from mooring.contract.fact import MB
from mooring.control.monitor import ModelFigures, figures_of
from mooring.control.service_views import ServiceView
from mooring.engine.workload import Usage

router = APIRouter(prefix="/v1/{project_id}/services", tags=["services"])


class ModelMonitor(BaseModel):
    """One model of a service: processors in cores, memory in MB; no GPU and no NPU is measured here."""

    model_id: str
    model_name: str
    model_version: str
    invocation_times: int
    failed_times: int
    model_instance_count: int
    model_running_instance_count: int
    cpu_core_usage: float
    cpu_core_total: float
    cpu_memory_usage: int
    cpu_memory_total: int
    gpu_usage: float = 0.0
    gpu_total: float = 0.0
    gpu_memory_usage: float = 0.0
    gpu_memory_total: float = 0.0
    npu_usage: float = 0.0
    npu_total: float = 0.0
    npu_memory_usage: float = 0.0
    npu_memory_total: float = 0.0


class Monitor(BaseModel):
    """A service and its models."""

    service_id: str
    service_name: str
    service_instance_count: int
    service_running_instance_count: int
    req_count_per_min: int
    monitors: list[ModelMonitor]


@router.get("/{service_id}/monitor", operation_id="ShowServiceMonitorInfo")
async def monitor(caller: Caller, platform: Held, service_id: str) -> Monitor:
    """Instances, calls, processors and memory of a service and of its models."""
    view = await asyncio.to_thread(platform.services.get, caller, service_id)
    usage = await platform.usage()
    return await asyncio.to_thread(_monitor, platform, view, usage)


def _monitor(platform: Platform, view: ServiceView, usage: Mapping[str, Usage]) -> Monitor:
    with platform.db.read() as session:
        figures = figures_of(session, view, usage, flavors=platform.settings.flavors, now_ms=platform.clock.now_ms())
    return Monitor(
        service_id=view.id,
        service_name=view.service_name,
        service_instance_count=sum(one.instances for one in figures.models),
        service_running_instance_count=sum(one.running for one in figures.models),
        req_count_per_min=figures.calls_per_minute,
        monitors=[_told(one) for one in figures.models],
    )


def _told(figures: ModelFigures) -> ModelMonitor:
    return ModelMonitor(
        model_id=figures.model_id,
        model_name=figures.model_name,
        model_version=figures.model_version,
        invocation_times=figures.calls,
        failed_times=figures.failures,
        model_instance_count=figures.instances,
        model_running_instance_count=figures.running,
        cpu_core_usage=round(figures.cpu_cores, 3),
        cpu_core_total=figures.cpu_cores_total,
        cpu_memory_usage=figures.memory_bytes // MB,
        cpu_memory_total=figures.memory_bytes_total // MB,
    )
