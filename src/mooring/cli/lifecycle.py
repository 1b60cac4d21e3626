"""`mooring start`, `stop` and `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import platform
from mooring.cli.following import DETACH, Following, Way
from mooring.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.client import Client


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command()(start)
    app.command()(stop)
    app.command()(delete)


def start(service: str = platform.SERVICE, *, detach: bool = DETACH, as_json: bool = platform.AS_JSON) -> None:
    """Start a service that is stopped or has failed.

    Waits until it answers. Exit code 1: it did not become ready, and why is shown.
    """
    with platform.connected() as client:
        following = Following(client, service)
        platform.require_real_time(following.before, f"mooring batch resume {service} goes on with it")
        client.start(following.service_id)
        following.until_running(following.service_id, Way(detach=detach, as_json=as_json))


def stop(
    service: str = platform.SERVICE,
    *,
    detach: bool = typer.Option(False, "--detach", "-d", help="Do not wait until it is stopped."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Stop a service: its instances finish their calls and end.

    What it is stays, and can be started again.
    """
    with platform.connected() as client:
        following = Following(client, service)
        client.stop(following.service_id)
        following.until_stopped(Way(detach=detach, as_json=as_json))


def delete(
    names: list[str] = typer.Argument(
        metavar="NAME...",
        help="Services by name or id; models as name:version or id.",
        autocompletion=platform.names,
    ),
    *,
    all_versions: bool = typer.Option(
        False, "--all-versions", help="NAMEs are models, and every version of each goes, 20 at most."
    ),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Delete services and models.

    A service ends its instances first; a model that a service uses is not deleted. Where a service and a model have
    the same name, the service is meant; `name:` means the model. Exit code 1: something was not deleted.
    """
    kept: list[dict[str, Any]] = []
    with platform.connected() as client:
        for name in names:
            failed = list(_kept(client, name, all_versions=all_versions))
            for one in failed:
                platform.tell(f"{name} was not deleted: {one['error_msg']}")
            if not failed and not as_json:
                platform.say(f"deleted {name}")
            kept += failed
    if as_json:
        platform.show_json({"delete_failed_list": kept})
    if kept:
        raise typer.Exit(1)


def _kept(client: Client, name: str, *, all_versions: bool) -> Iterator[dict[str, Any]]:
    """Delete what has that name; what was not deleted of it, and why."""
    if not all_versions and _is_deleted_service(client, name):
        return
    try:
        yield from client.delete_model(name.removesuffix(":"), cascade=all_versions)["delete_failed_list"]
    except NotFound:
        kind = "model" if all_versions or ":" in name else "service and no model"
        yield {"name": name, "error_msg": f"there is no {kind} of that name"}


def _is_deleted_service(client: Client, name: str) -> bool:
    """Whether there was a service of that name; it is gone now."""
    if ":" in name:
        return False
    try:
        service_id = client.service(name)["service_id"]
    except NotFound:
        return False
    client.delete_service(service_id)
    with platform.left_running("the deletion", "mooring services tells when it is done"):
        client.wait_until_deleted(service_id)
    return True
