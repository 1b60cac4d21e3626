"""A service that is on its way, told to a person as it happens, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from mooring.cli import platform

if TYPE_CHECKING:
    from mooring.client import Client

    Service = dict[str, Any]

DETACH = typer.Option(False, "--detach", "-d", help="Do not wait until it is running.")
RUNNING = ("running", "concerning")


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a caller wants to be told: not at all beyond the first word, as JSON, or as it comes."""

    detach: bool = False
    as_json: bool = False


class Following:
    """One service's way from what it was to what was asked for; made before the asking, so that nothing is missed."""

    def __init__(self, client: Client, service: str = "") -> None:
        """`service` is there already; none for one that is to be made."""
        self._client = client
        self.before: Service = client.service(service) if service else {}
        self._phases = platform.Phases(len(client.service_events(service)) if service else 0)

    @property
    def service_id(self) -> str:
        """Of the service that is there already; names may be given to others meanwhile."""
        return str(self.before["service_id"])

    def until_running(self, service_id: str, way: Way) -> None:
        """Show what happens until nothing is under way; typer.Exit(1) when it did not come true."""
        if way.detach:
            tell_state(self._client.service(service_id), way)
            return
        found = self._waited(service_id, "the deployment")
        failed = found["status"] not in RUNNING or bool(self.before and self._is_rolled_back(service_id))
        if way.as_json:
            platform.show_json(found)
        elif failed:
            _tell_failed(found)
        else:
            _tell_running(self._client, found)
        if failed:
            raise typer.Exit(1)

    def until_stopped(self, way: Way) -> None:
        """Show what happens until it is stopped; typer.Exit(1) when it is not."""
        found = self._client.service(self.service_id) if way.detach else self._waited(self.service_id, "the stopping")
        tell_state(found, way)
        if not way.detach and found["status"] != "stopped":
            raise typer.Exit(1)

    def _waited(self, service_id: str, what: str) -> Service:
        name = self._client.service(service_id)["service_name"]
        with platform.left_running(what, f"mooring show {name} tells how far it is"):
            return self._client.wait_for_service(
                service_id, seen=lambda _: self._phases.show(self._client.service_events(service_id))
            )

    def _is_rolled_back(self, service_id: str) -> bool:
        return bool(self._client.update_logs(service_id)[0]["result"] == "FAIL")


def tell_state(service: Service, way: Way) -> None:
    """What a service is now, in a line."""
    if way.as_json:
        platform.show_json(service)
    else:
        platform.say(f"{service['service_name']} is {service['status']} ({service['service_id']})")


def _tell_failed(service: Service) -> None:
    name, is_running = service["service_name"], service["status"] in RUNNING
    why = "the update failed, and what served before goes on" if is_running else service.get("error_msg") or ""
    platform.tell(f"{name} is {service['status']}: {why}" if why else f"{name} is {service['status']}")
    platform.tell(f"  mooring logs {name} shows what its instances wrote, mooring events {name} what happened")


def _tell_running(client: Client, service: Service) -> None:
    from mooring.cli.curl import predict  # noqa: PLC0415 - slow to open
    from mooring.contract import ModelConfig  # noqa: PLC0415 - the same

    name = service["service_name"]
    platform.say(f"{name} is {service['status']} at {service['access_address']}")
    config = client.model(service["config"][0]["model_id"]).get("config") or "{}"
    for api in ModelConfig.parse(config.encode()).apis[:1]:
        platform.say(f"  {predict(api, name)}")
