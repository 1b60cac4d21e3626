"""Models over REST: create (import), list, show, delete, and what happened to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from mooring.api import model_answers as answers
from mooring.api.event_forms import EventFilters, EventItem
from mooring.api.leniency import Flag
from mooring.api.model_forms import ModelBody, ModelFilters
from mooring.api.paging import Window
from mooring.api.platform import Caller, Held
from mooring.api.problems import CASES, OUR_BUG

router = APIRouter(prefix="/v1/{project_id}/models", tags=["models"])


class EngineRuntime(BaseModel):
    """An AI engine, its runtimes and what belongs to each: arrays that go in step (ShowModelEngineAndRuntime)."""

    ai_engine: str
    runtimes: list[str]
    request_mode: list[str]
    accelerators: list[dict[str, str]]
    arch: list[str]
    status_list: list[str]
    image_source: list[str]


class RuntimeList(BaseModel):
    """The engines that models can be made for."""

    total_count: int
    count: int
    engine_runtimes: list[EngineRuntime]


class ModelEvents(BaseModel):
    """What happened to a model."""

    model_id: str
    model_name: str
    total_count: int
    count: int
    events: list[EventItem]


# Models are images that bring their engine: the one entry that the documents' sample has for these.
_ENGINES = [
    EngineRuntime(
        ai_engine="Custom",
        runtimes=[],
        request_mode=[],
        accelerators=[],
        arch=[],
        status_list=[],
        image_source=[],
    )
]


@router.post("", operation_id="CreateModel")
def create(caller: Caller, platform: Held, body: ModelBody) -> answers.Created:
    """Import a model; that goes on when this is answered, and ShowModel tells how far it is."""
    return answers.Created(model_id=platform.catalog.create(caller, body.wish()))


@router.get("", operation_id="ListModels")
def list_all(caller: Caller, platform: Held, filters: Annotated[ModelFilters, Query()]) -> answers.ModelList:
    """The models that match, a page of them."""
    page = platform.catalog.list(caller, filters.query())
    tenant = platform.keys.project(caller.project_id).domain_id
    items = [answers.item(view, tenant) for view in page.items]
    return answers.ModelList(total_count=page.total, count=len(items), models=items)


@router.get("/ai-engine-runtimes", operation_id="ShowModelEngineAndRuntime")
def engines(caller: Caller, window: Annotated[Window, Query()]) -> RuntimeList:  # noqa: ARG001 - who asks is checked
    """The engines that models can be made for: any, in an image of one's own."""
    here = window.of(_ENGINES)
    return RuntimeList(total_count=len(_ENGINES), count=len(here), engine_runtimes=here)


@router.get("/{model_id}", operation_id="ShowModel", response_model_exclude_none=True)
def show(caller: Caller, platform: Held, model_id: str) -> answers.ModelShown:
    """One model, with all that is known of it."""
    view = platform.catalog.get(caller, model_id)
    return answers.shown(view, platform.keys.project(caller.project_id).domain_id)


@router.delete("/{model_id}", operation_id="DeleteModel")
def delete(caller: Caller, platform: Held, model_id: str, *, cascade: Flag = False) -> answers.DeletedBody:
    """Delete a model; with `cascade` every version of its name, 20 at most."""
    done = platform.catalog.delete(caller, model_id, cascade=cascade)
    failed = [
        answers.Undeleted(model_id=one.model_id, error_code=CASES.get(one.case, OUR_BUG).code, error_msg=one.message)
        for one in done.failed
    ]
    return answers.DeletedBody(delete_success_list=list(done.success), delete_failed_list=failed)


@router.get("/{model_id}/events", operation_id="ShowModelEvents", tags=["extensions"])
def events(caller: Caller, platform: Held, model_id: str, filters: Annotated[EventFilters, Query()]) -> ModelEvents:
    """What happened to a model; ours."""
    view = platform.catalog.get(caller, model_id)
    page = platform.story.events(caller.project_id, view.id, filters.query())
    items = [EventItem.of(one) for one in page.items]
    return ModelEvents(
        model_id=view.id, model_name=view.model_name, total_count=page.total, count=len(items), events=items
    )


@router.get("/{model_id}/report", operation_id="ShowModelReport", tags=["extensions"])
def report(caller: Caller, platform: Held, model_id: str) -> dict[str, Any]:
    """The report of the check that let a model in or did not, as `mooring check --format json` writes it; ours."""
    return dict(platform.catalog.report(caller, model_id))
