"""`mooring events`, `logs` and `monitor`: a service's story, what it writes, and its figures."""

from __future__ import annotations

import time
from typing import Any

import typer

from mooring.cli import platform

REFRESH_SECONDS = 2.0


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(events)
    app.command()(logs)
    app.command()(monitor)


def events(
    name: str = typer.Argument(
        metavar="NAME",
        help="A service by name or id, or a model as name:version.",
        autocompletion=platform.names,
    ),
    *,
    as_json: bool = platform.AS_JSON,
) -> None:
    """Tell what happened to a service or a model.

    The oldest first; `!` marks what went wrong.
    """
    with platform.connected() as client:
        found = client.model_events(name) if ":" in name else client.service_events(name)
    if as_json:
        platform.show_json(found)
        return
    for event in found:
        typer.echo(platform.event_line(event))


def logs(
    service: str = platform.SERVICE,
    *,
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on with what comes; Ctrl-C ends it."),
    replica: str = typer.Option("", help="Only of that instance; mooring logs names them."),
    since: float = typer.Option(None, metavar="SECONDS", min=0, help="Only what is not older."),
    tail: int = typer.Option(None, metavar="LINES", min=1, help="Only the last lines of each instance."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Show what a service's instances wrote.

    Also of those that are gone, as long as the platform keeps it.
    """
    query: dict[str, Any] = {"replica": replica or None, "tail": tail, "follow": follow}
    if since is not None:
        query["since"] = int((time.time() - since) * 1000)
    with platform.connected() as client:
        try:
            for line in client.container_logs(service, **query):
                if as_json:
                    typer.echo(platform.one_line(line))
                else:
                    typer.echo(platform.log_line(line))
        except KeyboardInterrupt:
            return


def monitor(
    service: str = platform.SERVICE,
    *,
    follow: bool = typer.Option(False, "--follow", "-f", help="Again every two seconds; Ctrl-C ends it."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Show a service's instances, calls, processors and memory."""
    with platform.connected() as client:
        try:
            while True:
                found = client.monitor(service)
                platform.show_json(found) if as_json else _show(found)
                if not follow:
                    return
                time.sleep(REFRESH_SECONDS)
        except KeyboardInterrupt:
            return


def _show(found: dict[str, Any]) -> None:
    platform.show_table(
        ("MODEL", "INSTANCES", "CALLS", "FAILED", "CPU", "MEMORY"),
        (
            (
                f"{one['model_name']}:{one['model_version']}",
                f"{one['model_running_instance_count']}/{one['model_instance_count']}",
                one["invocation_times"],
                one["failed_times"],
                f"{one['cpu_core_usage']:.2f} of {one['cpu_core_total']:g}",
                f"{one['cpu_memory_usage']} of {one['cpu_memory_total']} MB",
            )
            for one in found["monitors"]
        ),
    )
    calls = found["req_count_per_min"]
    typer.echo(f"{calls} call{'' if calls == 1 else 's'} in the last minute")
