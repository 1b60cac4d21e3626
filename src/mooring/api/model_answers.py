"""What answers about models hold, as ListModels and ShowModel have it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from mooring.control.model_views import ModelView

# What CreateModel sent and ShowModel tells again, in the same words.
ECHOED = ("source_job_id", "source_job_version", "execution_code", "cmd")


class ModelItem(BaseModel):
    """A model in a list. `create_at` is in ms, `model_size` in bytes."""

    model_id: str
    model_name: str
    model_version: str
    model_type: str
    model_size: int
    model_status: str
    description: str
    tenant: str
    project: str
    owner: str
    create_at: int
    source_type: str
    model_source: str
    install_type: list[str]
    workspace_id: str
    market_flag: bool
    tunable: bool
    publishable_flag: bool
    source_copy: str
    subscription_id: str
    extra: str
    specification: dict[str, str]


class ModelShown(ModelItem):
    """One model. `config` is the text that was sent as `initial_config`; `apis` and `model_metrics` are JSON texts.

    `error_msg` is ours: why an import failed.
    """

    source_location: str
    source_job_id: str
    source_job_version: str
    model_algorithm: str
    runtime: str
    execution_code: str
    schema_doc: str
    image_address: str
    input_params: list[dict[str, Any]]
    output_params: list[dict[str, Any]]
    health: dict[str, str] | None = None
    apis: str
    config: str
    model_metrics: str
    dependencies: list[dict[str, Any]] | None = None
    model_docs: list[dict[str, Any]] | None = None
    model_labels: list[str]
    labels_map: dict[str, list[str]]
    template: dict[str, Any] | None = None
    cmd: str
    error_msg: str | None = None


class ModelList(BaseModel):
    """A page of models: `total_count` is how many match, `count` how many are here."""

    total_count: int
    count: int
    models: list[ModelItem]


class Created(BaseModel):
    """The new model's id."""

    model_id: str


class Undeleted(BaseModel):
    """A model that stays, and why."""

    model_id: str
    error_code: str
    error_msg: str


class DeletedBody(BaseModel):
    """What was deleted, and what was not."""

    delete_success_list: list[str]
    delete_failed_list: list[Undeleted]


def item(view: ModelView, tenant: str) -> ModelItem:
    """A model as a list has it; `tenant` is the id of its project's domain."""
    return ModelItem(**_item(view, tenant))


def shown(view: ModelView, tenant: str) -> ModelShown:
    """A model as it is shown alone."""
    config, request = view.config or {}, view.request
    health = config.get("health")
    echoed: dict[str, Any] = {name: _text(request.get(name)) for name in ECHOED}
    return ModelShown(
        **_item(view, tenant),
        **echoed,
        source_location=view.source_location,
        model_algorithm=_text(request.get("model_algorithm") or config.get("model_algorithm")),
        runtime=_text(request.get("runtime") or config.get("runtime")),
        schema_doc="",
        image_address=view.image,
        input_params=request.get("input_params") or list(_params(config, "request")),
        output_params=request.get("output_params") or list(_params(config, "response")),
        health={name: _text(value) for name, value in health.items() if value is not None} if health else None,
        apis=json.dumps(_apis(config) or request.get("apis") or [], ensure_ascii=False),
        config=view.initial_config,
        model_metrics=_metrics(request.get("model_metrics") or config.get("metrics")),
        dependencies=request.get("dependencies") or config.get("dependencies") or None,
        model_docs=request.get("model_docs"),
        model_labels=[],
        labels_map={"labels": []},
        template=request.get("template"),
        error_msg=view.error_msg or None,
    )


def _item(view: ModelView, tenant: str) -> dict[str, Any]:
    return {
        "model_id": view.id,
        "model_name": view.model_name,
        "model_version": view.model_version,
        "model_type": view.model_type,
        "model_size": view.size_bytes,
        "model_status": view.status,
        "description": view.description,
        "tenant": tenant,
        "project": view.project_id,
        "owner": view.owner,
        "create_at": view.created_at,
        "source_type": _text(view.request.get("source_type")),
        "model_source": "custom",
        "install_type": list(view.request.get("install_type") or ("real-time", "batch")),
        "workspace_id": view.workspace_id,
        "market_flag": False,
        "tunable": False,
        "publishable_flag": True,
        "source_copy": str(view.source_copy).lower(),
        "subscription_id": "",
        "extra": "",
        "specification": {},
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _metrics(value: Any) -> str:
    return _text(value if value is not None else {})


def _apis(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The apis of a config.json under the names that REST has for them."""
    return [
        {
            "protocol": api.get("protocol", "http"),
            "method": api.get("method", "post"),
            "url": api.get("url", "/"),
            "content_type": _side(api, "request").get("Content-type", ""),
            "input_params": _side(api, "request").get("data", {}),
            "output_params": _side(api, "response").get("data", {}),
        }
        for api in config.get("apis") or ()
    ]


def _params(config: Mapping[str, Any], side: str) -> Iterator[dict[str, Any]]:
    """The first level of every api's schema, flat; `param_desc` is the JSON of what is below."""
    for api in config.get("apis") or ():
        schema = _side(api, side).get("data") or {}
        for name, below in (schema.get("properties") or {}).items():
            yield {
                "url": api.get("url", "/"),
                "method": api.get("method", "post"),
                "protocol": api.get("protocol", "http"),
                "param_name": name,
                "param_type": _text(below.get("type")) if isinstance(below, Mapping) else "",
                "param_desc": json.dumps(below, ensure_ascii=False),
            }


def _side(api: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    found = api.get(side)
    return found if isinstance(found, Mapping) else {}
