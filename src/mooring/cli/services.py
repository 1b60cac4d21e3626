"""`mooring services`: what the platform serves."""

from __future__ import annotations

import typer

from mooring.cli import platform


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(services)


def services(
    name: str = typer.Argument("", help="Only those with this in their name."),
    status: str = typer.Option("", help="Only those: running, deploying, concerning, failed, stopping, stopped."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """List the platform's services, the newest first."""
    with platform.connected() as client:
        found = client.services(service_name=name or None, status=status or None)
    if as_json:
        platform.show_json(found)
        return
    if not found:
        platform.tell("no services; mooring deploy MODEL makes one")
        return
    platform.show_table(
        ("SERVICE", "STATUS", "CALLS", "FAILED", "SINCE", "ID"),
        (
            (
                one["service_name"],
                one["status"],
                one["invocation_times"],
                one["failed_times"],
                platform.when(one["transition_at"]),
                one["service_id"],
            )
            for one in found
        ),
    )
