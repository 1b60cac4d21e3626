"""Services over REST: create, list, show, change, delete, and what they had and what happened to them."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from mooring.api import service_answers as answers
from mooring.api.addresses import access_address
from mooring.api.event_forms import EventFilters, EventItem
from mooring.api.leniency import Whole
from mooring.api.platform import Caller, Held
from mooring.api.service_forms import ChangeBody, ServiceBody, ServiceFilters
from mooring.errors import NotFound

router = APIRouter(prefix="/v1/{project_id}/services", tags=["services"])


class ServiceEvents(BaseModel):
    """What happened to a service."""

    service_id: str
    service_name: str
    total_count: int
    count: int
    events: list[EventItem]


@router.post("", operation_id="CreateService")
def create(caller: Caller, platform: Held, body: ServiceBody) -> answers.ServiceCreated:
    """Deploy models as a real-time service, or one as a batch service; ShowService tells how far it is."""
    made = platform.services.create(caller, body.wish())
    return answers.ServiceCreated(service_id=made, resource_ids=[f"INF-{made}@{platform.clock.now_ms()}"])


@router.get("", operation_id="ListServices", response_model_exclude_none=True)
def list_all(caller: Caller, platform: Held, filters: Annotated[ServiceFilters, Query()]) -> answers.ServiceList:
    """The services that match, a page of them."""
    page = platform.services.list(caller, filters.query())
    tenant = platform.keys.project(caller.project_id).domain_id
    items = [answers.item(view, tenant) for view in page.items]
    return answers.ServiceList(total_count=page.total, count=len(items), services=items)


@router.get("/{service_id}", operation_id="ShowService", response_model_exclude_none=True)
def show(caller: Caller, platform: Held, service_id: str, request: Request) -> answers.ServiceShown:
    """One service, with all that is known of it."""
    view = platform.services.get(caller, service_id)
    tenant = platform.keys.project(caller.project_id).domain_id
    return answers.shown(view, tenant, access_address(platform.settings, request, view.id))


@router.put("/{service_id}", operation_id="UpdateService")
def update(caller: Caller, platform: Held, service_id: str, body: ChangeBody) -> answers.Nothing:
    """Start it, stop it, or change what it is."""
    platform.services.update(caller, service_id, body.change())
    return answers.Nothing()


@router.patch("/{service_id}", operation_id="PatchService")
def patch(caller: Caller, platform: Held, service_id: str, body: ChangeBody) -> answers.Nothing:
    """The same as UpdateService, for clients that spell it so."""
    return update(caller, platform, service_id, body)


@router.delete("/{service_id}", operation_id="DeleteService")
def delete(caller: Caller, platform: Held, service_id: str) -> answers.Nothing:
    """Delete a service, or several: ids with commas between them. When one is not there, none is deleted."""
    ids = tuple(dict.fromkeys(filter(None, map(str.strip, service_id.split(",")))))
    if not ids:
        raise NotFound("the path names no service", hint="ids have commas between them", case="service-unknown")
    platform.services.delete(caller, ids)
    return answers.Nothing()


@router.get("/{service_id}/events", operation_id="ShowServiceEvents")
def events(caller: Caller, platform: Held, service_id: str, filters: Annotated[EventFilters, Query()]) -> ServiceEvents:
    """What happened to a service."""
    view = platform.services.get(caller, service_id)
    page = platform.story.events(caller.project_id, view.id, filters.query())
    items = [EventItem.of(one) for one in page.items]
    return ServiceEvents(
        service_id=view.id, service_name=view.service_name, total_count=page.total, count=len(items), events=items
    )


@router.get("/{service_id}/logs", operation_id="ShowServiceUpdateLogs", response_model_exclude_none=True)
def update_logs(caller: Caller, platform: Held, service_id: str, update_time: Whole = 0) -> answers.UpdateLogs:
    """The configurations that a service had from a time on (ms), the newest first. They are no containers' logs."""
    view, logs = platform.services.update_logs(caller, service_id, since_ms=update_time)
    told = [
        answers.Logged(
            update_time=one.update_time,
            result=one.result,
            config=[answers.logged(row) for row in one.config],
            extend_config=[],
            cluster_id=view.request.get("cluster_id"),
        )
        for one in logs
    ]
    return answers.UpdateLogs(service_id=view.id, service_name=view.service_name, logs=told)
