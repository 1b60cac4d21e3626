"""The platform as Python sees it: models, services, calls, their stories and figures."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from mooring.client.batch import BatchServices
from mooring.client.connection import Connection
from mooring.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    import httpx

DEFAULT_FLAVOR = "modelarts.vm.cpu.2u"
POLL_SECONDS = 0.5
# A platform may be started anew while something is waited for.
AWAY_SECONDS = 60.0
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
T = TypeVar("T")
UNDER_WAY = frozenset({"deploying", "stopping", "deleting"})
IMPORTED = frozenset({"published", "failed", "building_failed"})
PAGE = 500


class Client:
    """One caller of one platform. What it gives are the API's own objects, as dictionaries.

    Models are named by their id or `name:version` (`name` for the newest version), services by their id or their name.
    Every call raises a MooringError of the kind that fits what the platform said, Unavailable when it does not answer.
    """

    def __init__(self, url: str = "", token: str = "", *, environ: Mapping[str, str] | None = None) -> None:
        # Not os.environ as the default: help() would show all that is in it.
        self.connection = Connection(url, token, environ=os.environ if environ is None else environ)
        self.batch = BatchServices(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.connection.close()

    # Models.

    def import_model(self, source: str | Path, name: str, version: str, **fields: Any) -> str:
        """Import an image, a registry reference, an archive or a project's folder; the new model's id.

        The import goes on in the platform; `wait_for_model` waits for it. `fields` are CreateModel's.
        """
        place = str(source.resolve()) if isinstance(source, Path) else source
        wish = {"model_name": name, "model_version": version, "model_type": "Image", "source_location": place, **fields}
        return str(self._post("/v1/{project}/models", wish)["model_id"])

    def models(self, **query: Any) -> list[dict[str, Any]]:
        """Every model that matches, the newest first."""
        return list(self.pages("/v1/{project}/models", "models", query))

    def model(self, name: str) -> dict[str, Any]:
        """One model, with all that is known of it."""
        return self.connection.get(f"/v1/{{project}}/models/{self._model_id(name)}")

    def wait_for_model(self, name: str, *, seen: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
        """The model once its import has ended, however it did; `seen` is called with each state in between."""
        model_id = self._model_id(name)
        return self._waited(lambda: self.model(model_id), seen, lambda model: model["model_status"] in IMPORTED)

    def model_report(self, name: str) -> dict[str, Any]:
        """The report of the check that a model had to pass."""
        return self.connection.get(f"/v1/{{project}}/models/{self._model_id(name)}/report")

    def model_events(self, name: str) -> list[dict[str, Any]]:
        """What happened to a model, the oldest first."""
        return list(self.pages(f"/v1/{{project}}/models/{self._model_id(name)}/events", "events", {"order": "asc"}))

    def delete_model(self, name: str, *, cascade: bool = False) -> dict[str, Any]:
        """What was deleted and what was not, and why."""
        path = f"/v1/{{project}}/models/{self._model_id(name)}"
        return self.connection.object_of(self.connection.send("DELETE", path, params={"cascade": str(cascade).lower()}))

    # Services.

    def deploy(self, name: str, config: Iterable[Mapping[str, Any]], **fields: Any) -> str:
        """Deploy models as a real-time service; its id. `config` is CreateService's, with models by any name."""
        wish = {"service_name": name, "infer_type": "real-time", "config": self._config(config), **fields}
        return str(self._post("/v1/{project}/services", wish)["service_id"])

    def services(self, **query: Any) -> list[dict[str, Any]]:
        """Every service that matches, the newest first."""
        return list(self.pages("/v1/{project}/services", "services", query))

    def service(self, name: str) -> dict[str, Any]:
        """One service, with all that is known of it."""
        return self.connection.get(f"/v1/{{project}}/services/{self.service_id(name)}")

    def update(self, name: str, **fields: Any) -> None:
        """Change a service: `config`, `description`, `schedule` and so on, as UpdateService has them."""
        if "config" in fields:
            fields["config"] = self._config(fields["config"])
        self.connection.send("PUT", f"/v1/{{project}}/services/{self.service_id(name)}", json=fields)

    def start(self, name: str) -> None:
        """Start a service that is stopped or has failed."""
        self.update(name, status="running")

    def stop(self, name: str) -> None:
        """Stop a service; what it is stays."""
        self.update(name, status="stopped")

    def delete_service(self, name: str) -> None:
        """Delete a service, and what runs for it."""
        self.connection.send("DELETE", f"/v1/{{project}}/services/{self.service_id(name)}")

    def wait_for_service(
        self,
        name: str,
        *,
        seen: Callable[[dict[str, Any]], None] = lambda _: None,
        over: Callable[[dict[str, Any]], bool] = lambda one: one["status"] not in UNDER_WAY,
    ) -> dict[str, Any]:
        """The service once nothing is under way any more; `seen` is called with each state in between."""
        service_id = self.service_id(name)
        return self._waited(lambda: self.service(service_id), seen, over)

    def wait_until_deleted(self, name: str) -> None:
        """Return once a service is gone."""
        try:
            service_id = self.service_id(name)
            self._waited(lambda: self.service(service_id), lambda _: None, lambda _: False)
        except NotFound:
            return

    def service_events(self, name: str, **query: Any) -> list[dict[str, Any]]:
        """What happened to a service, the oldest first."""
        path = f"/v1/{{project}}/services/{self.service_id(name)}/events"
        return list(self.pages(path, "events", {"order": "asc", **query}))

    def monitor(self, name: str) -> dict[str, Any]:
        """Its instances, calls, processors and memory."""
        return self.connection.get(f"/v1/{{project}}/services/{self.service_id(name)}/monitor")

    def update_logs(self, name: str) -> list[dict[str, Any]]:
        """The configurations it had, the newest first."""
        return list(self.connection.get(f"/v1/{{project}}/services/{self.service_id(name)}/logs")["logs"])

    def container_logs(self, name: str, **query: Any) -> Iterator[dict[str, Any]]:
        """What its containers wrote: time, replica, stream, text; with `follow=True` without end."""
        path = f"/v1/{{project}}/services/{self.service_id(name)}/container-logs"
        if "follow" in query:
            query["follow"] = str(bool(query["follow"])).lower()
        for line in self.connection.lines(path, **query):
            if line.strip():
                yield json.loads(line)

    def predict(self, name: str, path: str = "", *, method: str = "POST", **how: Any) -> httpx.Response:
        """Call a service through the gateway; `how` is httpx's: `json`, `data`, `files`, `content`, `headers`."""
        below = f"/{path.lstrip('/')}" if path.strip("/") else ""
        return self.connection.send(method, f"/v1/infers/{self.service_id(name)}{below}", **how)

    def flavors(self) -> list[dict[str, Any]]:
        """The sizes that instances can have."""
        return list(self.connection.get("/v1/{project}/services/specifications")["specifications"])

    # Keys.

    def create_key(self, kind: str, user_name: str | None = None, **fields: Any) -> dict[str, Any]:
        """A new key with its secret, which is told this once; `kind` is token, pair, app or gateway."""
        wish = {"kind": kind, **({"user_name": user_name} if user_name else {}), **fields}
        return self._post("/v1/{project}/keys", wish)

    def keys(self, *, kind: str | None = None) -> list[dict[str, Any]]:
        """The project's keys, without their secrets; gateways' tokens are of no project, and listed as such a kind."""
        return list(self.connection.get("/v1/{project}/keys", kind=kind)["keys"])

    def revoke_key(self, key_id: str) -> None:
        """Let a key open nothing any more."""
        self.connection.send("DELETE", f"/v1/{{project}}/keys/{quote(key_id, safe='')}")

    # Below.

    def _waited(self, look: Callable[[], T], seen: Callable[[T], None], over: Callable[[T], bool]) -> T:
        """What is looked at once it is over; `seen` is called with each look, the last one too."""
        heard = time.monotonic()
        while True:
            try:
                found = look()
                seen(found)
            except Unavailable:
                if time.monotonic() - heard > AWAY_SECONDS:
                    raise
            else:
                if over(found):
                    return found
                heard = time.monotonic()
            time.sleep(POLL_SECONDS)

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.connection.object_of(self.connection.send("POST", path, json=body))

    def pages(self, path: str, key: str, query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything that a listing has under that key, asked for as it is taken."""
        offset = int(query.get("offset") or 0)
        while True:
            page = self.connection.get(path, **{**query, "offset": offset, "limit": PAGE})[key]
            yield from page
            offset += len(page)
            if len(page) < PAGE:
                return

    def _config(self, config: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [
            {"specification": DEFAULT_FLAVOR, "instance_count": 1, **one, "model_id": self._model_id(one["model_id"])}
            for one in config
        ]

    def _model_id(self, name: str) -> str:
        if _is_id(name):
            return name
        found, _, version = name.partition(":")
        query = {"model_name": found, "exact_match": "true", **({"model_version": version} if version else {})}
        models = [one for one in self.models(**query) if one["model_name"] == found]
        if not models:
            raise NotFound(f"there is no model {name}", hint="mooring models lists them")
        return str(models[0]["model_id"])

    def service_id(self, name: str) -> str:
        """The id of a service that is named by its name or its id. NotFound."""
        if _is_id(name):
            return name
        services = [one for one in self.services(service_name=name, exact_match="true") if one["service_name"] == name]
        if not services:
            raise NotFound(f"there is no service {name}", hint="mooring services lists them")
        return str(services[0]["service_id"])


def _is_id(name: str) -> bool:
    """Whether it is a UUID, as ids are."""
    return UUID.fullmatch(name) is not None
