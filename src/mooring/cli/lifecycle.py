"""`mooring start`, `stop` and `delete`."""

from __future__ import annotations

import typer

from mooring.cli import platform
from mooring.cli.deploy import DETACH, _follow
from mooring.errors import NotFound


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(start)
    app.command()(stop)
    app.command()(delete)


def start(service: str = platform.SERVICE, *, detach: bool = DETACH, as_json: bool = platform.AS_JSON) -> None:
    """Start a service that is stopped or has failed, and wait until it answers."""
    with platform.connected() as client:
        client.start(service)
        _follow(client, service, service, detach=detach, as_json=as_json)


def stop(
    service: str = platform.SERVICE,
    *,
    detach: bool = typer.Option(False, "--detach", "-d", help="Do not wait until it is stopped."),
) -> None:
    """Stop a service: its instances finish their calls and end. What it is stays, and can be started again."""
    with platform.connected() as client:
        client.stop(service)
        if detach:
            return
        with platform.left_running("the stopping", f"mooring show {service} tells how far it is"):
            found = client.wait_for_service(service)
        typer.echo(f"{found['service_name']} is {found['status']}")


def delete(
    names: list[str] = typer.Argument(
        metavar="NAME...",
        help="Services by name or id; models as name:version or id.",
        autocompletion=lambda incomplete: platform.service_names(incomplete) + platform.model_names(incomplete),
    ),
    *,
    all_versions: bool = typer.Option(False, "--all-versions", help="With a model: every version of it, 20 at most."),
) -> None:
    """Delete services and models. A service ends its instances first; a model that a service uses is not deleted.

    Where a service and a model have the same name, the service is meant; `name:` means the model.
    """
    kept = False
    with platform.connected() as client:
        for name in names:
            if ":" not in name and not all_versions:
                try:
                    client.delete_service(name)
                except NotFound:
                    pass
                else:
                    with platform.left_running("the deletion", "mooring services tells when it is done"):
                        client.wait_until_deleted(name)
                    typer.echo(f"deleted {name}")
                    continue
            done = client.delete_model(name.removesuffix(":"), cascade=all_versions)
            if done["delete_success_list"]:
                typer.echo(f"deleted {name}")
            for failed in done["delete_failed_list"]:
                platform.tell(f"{name} was not deleted: {failed['error_msg']}")
                kept = True
    if kept:
        raise typer.Exit(1)
