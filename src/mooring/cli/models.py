"""`mooring models`: what the platform has been given to deploy."""

from __future__ import annotations

import typer

from mooring.cli import platform


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(models)


def models(
    name: str = typer.Argument("", help="Only those with this in their name."),
    status: str = typer.Option("", help="Only those: published, publishing, building, failed, building_failed."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """List the platform's models, the newest first."""
    with platform.connected() as client:
        found = client.models(model_name=name or None, model_status=status or None)
    if as_json:
        platform.show_json(found)
        return
    if not found:
        platform.tell("no models; mooring import SOURCE brings one in")
        return
    platform.show_table(
        ("MODEL", "STATUS", "SIZE", "CREATED", "ID"),
        (
            (
                f"{one['model_name']}:{one['model_version']}",
                one["model_status"],
                platform.size(one["model_size"]) if one["model_size"] else "",
                platform.when(one["create_at"]),
                one["model_id"],
            )
            for one in found
        ),
    )
