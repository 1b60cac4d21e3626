"""`mooring show`: one service or one model, and all that is known of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import platform
from mooring.errors import NotFound

if TYPE_CHECKING:
    from mooring.client import Client

LAST_EVENTS = 8
LEVELS = ("must", "should", "info")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(show)


def show(
    name: str = typer.Argument(
        metavar="NAME",
        help="A service by name or id, or a model as name:version or id.",
        autocompletion=platform.names,
    ),
    *,
    report: bool = typer.Option(False, "--report", help="The report of the check that the model had to pass."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Show a service or a model. Where both have the name, the service is meant; `name:` means the model."""
    with platform.connected() as client:
        if report:
            _show_report(client.model_report(name), as_json=as_json)
            return
        kind, found = _found(client, name)
        if as_json:
            platform.show_json(found)
        elif kind == "service":
            _show_service(client, found)
        else:
            _show_model(client, found)


def _found(client: Client, name: str) -> tuple[str, dict[str, Any]]:
    if ":" not in name:
        try:
            return "service", client.service(name)
        except NotFound:
            pass
    try:
        return "model", client.model(name.removesuffix(":"))
    except NotFound:
        raise NotFound(
            f"there is no service and no model {name}", hint="mooring services and mooring models list them"
        ) from None


def _show_service(client: Client, service: dict[str, Any]) -> None:
    if service["infer_type"] == "batch":
        from mooring.cli.batch import show_job  # noqa: PLC0415 - it is seldom one

        show_job(client, service)
        return
    platform.show_fields(
        (
            ("service", service["service_name"]),
            ("id", service["service_id"]),
            ("status", service["status"]),
            ("because", service.get("error_msg")),
            ("address", service.get("access_address")),
            ("description", service.get("description")),
            ("calls", f"{service['invocation_times']}, {service['failed_times']} of them failed"),
            ("stops at", platform.when(service.get("due_time"))),
            ("since", platform.when(service.get("transition_at"))),
        )
    )
    typer.echo("")
    platform.show_table(
        ("MODEL", "WEIGHT", "INSTANCES", "STATUS", "SIZE"),
        (
            (
                f"{one['model_name']}:{one['model_version']}",
                one["weight"],
                one["instance_count"],
                one["status"],
                _size(one),
            )
            for one in service["config"]
        ),
    )
    _show_events(client.service_events(service["service_id"]))


def _size(entry: dict[str, Any]) -> str:
    spec = entry.get("custom_spec")
    return f"{spec['cpu']} cores, {spec['memory']} MB" if spec else str(entry["specification"])


def _show_model(client: Client, model: dict[str, Any]) -> None:
    platform.show_fields(
        (
            ("model", f"{model['model_name']}:{model['model_version']}"),
            ("id", model["model_id"]),
            ("status", model["model_status"]),
            ("because", model.get("error_msg")),
            ("source", model.get("source_location")),
            ("image", model.get("image_address")),
            ("size", platform.size(model["model_size"]) if model.get("model_size") else ""),
            ("description", model.get("description")),
            ("created", platform.when(model.get("create_at"))),
        )
    )
    apis = model.get("apis")
    for api in json.loads(apis) if isinstance(apis, str) and apis else apis or ():
        platform.say(f"  {str(api['method']).upper()} {api['url']}")
    _show_events(client.model_events(model["model_id"]))


def _show_events(events: list[dict[str, Any]]) -> None:
    typer.echo("")
    for event in events[-LAST_EVENTS:]:
        typer.echo(platform.event_line(event))


def _show_report(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        platform.show_json(report)
        return
    findings = [one for result in report["results"] for one in result["findings"]]
    for one in sorted(findings, key=lambda one: LEVELS.index(one["level"])):
        platform.show_fields(
            (
                (f"{one['level']} {one['id']}", report["rules"].get(one["id"], {}).get("title", "")),
                ("  at", f"{one['source']}:{one['line']}:{one['column']}" if one["line"] else one["source"]),
                ("  seen", one["message"]),
                ("  expected", one["expected"]),
                ("  source", one["document"]),
                ("  remedy", one["hint"]),
            )
        )
    counts = ", ".join(f"{count} {status}" for status, count in report["counts"].items() if count)
    platform.say(f"{report['verdict']} the contract of {report['edition']}: {counts}")
