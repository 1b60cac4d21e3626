"""Containers and images in a Docker or Podman engine, through its socket."""

from __future__ import annotations

import contextlib
import difflib
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Self

import docker
import docker.errors
import docker.utils
import requests.exceptions

from mooring.engine import kernel
from mooring.engine.address import Address, addresses
from mooring.engine.container import ImageFacts, Launch, LogStream, Sighting
from mooring.engine.export import Export
from mooring.engine.following import Following
from mooring.engine.leftovers import CAGE_LABEL, OWNER_LABEL
from mooring.engine.refusal import Refusal
from mooring.engine.sighting import PORT_LABEL, sighted
from mooring.engine.sockets import Listener, listeners
from mooring.engine.translation import INSTALL_HINT, explanation, mooring_error, root_cause, translated
from mooring.errors import Conflict, Invalid, MooringError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

# Label on every container that Mooring starts, so that they can be told from others (and cleaned up).
LABEL = "io.mooring.container"
# An engine under load takes its time to start a container; this is for a single call, not for a model's loading.
CALL_TIMEOUT_SECONDS = 120
POLL_SECONDS = 0.05


class DockerEngine:
    """One engine that answers. Containers are named by their id or name.

    Nothing is remembered here, except why containers did not start, which Podman says only once.
    """

    def __init__(self, client: docker.DockerClient, address: Address) -> None:
        self._client = client
        self.address = address
        self._refusals: dict[str, Refusal] = {}

    @classmethod
    def connect(cls, environ: Mapping[str, str] = os.environ) -> DockerEngine:
        """The first engine that answers at the usual addresses; Unavailable, with what was tried, when none does."""
        tried = []
        for address in addresses(environ):
            try:
                _knock(address)
                client = docker.DockerClient(
                    **{**docker.utils.kwargs_from_env(environment=dict(environ)), "base_url": address.url},
                    timeout=CALL_TIMEOUT_SECONDS,
                )
            except (docker.errors.DockerException, requests.exceptions.RequestException, OSError, ValueError) as error:
                tried.append(f"{address.url} ({address.because}): {root_cause(error)}")
                continue
            return cls(client, address)
        what = "; ".join(tried) or "no DOCKER_HOST, no Docker context, and none of the usual sockets exists"
        raise Unavailable(f"no container engine answers: {what}", hint=INSTALL_HINT)

    def close(self) -> None:
        """Let go of the connection; containers stay as they are."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def api(self) -> docker.APIClient:
        """The SDK's client, for this room's other modules."""
        return self._client.api

    @property
    def program(self) -> str:
        """The command a user of this engine types: `docker` or `podman`."""
        with translated():
            parts = self._client.version().get("Components") or ()
        return "podman" if any("podman" in str(part.get("Name", "")).lower() for part in parts) else "docker"

    @property
    def is_here(self) -> bool:
        """Whether the engine is on this machine, as far as its address tells."""
        return self.address.url.startswith("unix://")

    @property
    def architecture(self) -> str:
        """The machine's architecture as images spell it: `amd64`, `arm64`."""
        with translated():
            return str(self._client.version().get("Arch", ""))

    def image(self, reference: str) -> ImageFacts:
        """What the engine knows of an image it holds; NotFound with the nearest names when it holds none such."""
        try:
            with translated():
                found = self._client.images.get(reference)
        except NotFound:
            near = difflib.get_close_matches(reference, self.image_names(), n=3, cutoff=0.5)
            hint = f"the nearest it has: {', '.join(near)}" if near else f"{self.program} images lists what it has"
            raise NotFound(
                f"the engine at {self.address.url} has no image {reference}",
                hint=f"{hint}; to fetch it from a registry: {self.program} pull {reference}",
            ) from None
        config = found.attrs.get("Config") or {}
        return ImageFacts(
            reference=reference,
            id=found.id,
            architecture=found.attrs.get("Architecture", ""),
            labels=config.get("Labels") or {},
            command=(*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())),
        )

    def inspect_image(self, reference: str) -> dict[str, Any]:
        """The engine's own description of an image (Id, Config, RootFS and so on); NotFound when it holds none such."""
        with translated(f"image {reference}"):
            return dict(self._client.api.inspect_image(reference))

    def image_history(self, reference: str) -> tuple[dict[str, Any], ...]:
        """The steps that made the image, the newest first, with `CreatedBy` and the `Size` of what each added."""
        with translated(f"image {reference}"):
            return tuple(self._client.api.history(reference))

    def export(self, reference: str) -> Export:
        """The image as `docker save` writes it, in chunks; to be closed. NotFound when the engine holds none such."""
        return Export(self._client.api, reference)

    def load(self, archive: Iterable[bytes]) -> None:
        """Take in images as `docker save` writes them, in chunks; Invalid, in the engine's words, if it cannot."""
        with translated("the archive"):
            for told in self._client.api.load_image(archive):
                if "error" in told:
                    raise Invalid(f"the engine cannot load the image: {told['error']}")

    def remove_image(self, name: str) -> None:
        """Let go of a name, and of the image when it has no other and no container; idempotent."""
        with contextlib.suppress(NotFound, Conflict), translated(f"image {name}"):
            self._client.api.remove_image(name)

    def image_names(self) -> tuple[str, ...]:
        """Every `name:tag` the engine holds, sorted."""
        with translated():
            return tuple(sorted({tag for image in self._client.images.list() for tag in image.tags}))

    def start(self, launch: Launch) -> str:
        """Start a container, published on this machine's loopback only, and give its id.

        A container that the engine could not start (no such command, wrong architecture) is not an error here: it is
        left for `observe`, whose sighting tells what the engine said. Conflict when the name or the host's port is
        taken, Unavailable when the engine does not answer.
        """
        container = self._create(launch)
        try:
            self._client.api.start(container)
        except docker.errors.APIError as error:
            refusal = Refusal(explanation(error))
            if refusal.is_for_port:
                holder = self._publisher_of(launch.host_port)
                self.remove(container)
                raise Conflict(
                    f"port {launch.host_port} of this machine is taken by {holder or 'another program'}",
                    hint="choose another with --port, or 0 for any that is free",
                ) from None
            if refusal.is_for_image:
                self._refusals[container] = refusal
            if not self.observe(container).error:
                self.remove(container)
                raise mooring_error(error) from error
        return container

    def _create(self, launch: Launch) -> str:
        api = self._client.api
        with translated(f"container name {launch.name}" if launch.name else f"a container of {launch.image}"):
            made = api.create_container(
                launch.image,
                list(launch.command) or None,
                entrypoint=list(launch.entrypoint) or None,
                name=launch.name or None,
                environment=dict(launch.env),
                labels=_labels(launch),
                ports=[launch.port],
                stop_timeout=launch.stop_seconds,
                host_config=api.create_host_config(**launch.host_options()),
            )
        return str(made["Id"])

    def _publisher_of(self, port: int) -> str:
        with translated():
            found = self._client.api.containers()  # Podman has no filter for ports
        names = [
            one["Names"][0].lstrip("/")
            for one in found
            for published in one.get("Ports") or ()
            if published.get("PublicPort") == port
        ]
        return f"container {names[0]}" if names else ""

    def observe(self, container: str) -> Sighting:
        """How the container is now; NotFound when it has been removed."""
        with translated(f"container {container[:12]}"):
            attrs = self._client.api.inspect_container(container)
        return sighted(attrs, self._refusals.get(attrs["Id"]))

    def follow(self, container: str, *, stdout: bool = True, stderr: bool = True) -> LogStream:
        """What the container writes to its outputs, from its beginning, until it ends; asked for by whoever reads."""
        return Following(lambda: self._client.api.logs(container, stdout, stderr, stream=True, follow=True))

    def last_lines(self, container: str, count: int = 50) -> tuple[str, ...]:
        """The last lines of the container's logs, as text, without the empty ones at the end."""
        with translated(f"container {container[:12]}"):
            written: bytes = self._client.api.logs(container, tail=count)
        return tuple(written.decode("utf-8", "replace").rstrip().splitlines())[-count:]

    def listeners(self, container: str) -> tuple[Listener, ...] | None:
        """What is listened on inside the container's network; None when it cannot be seen from here."""
        tables = [table for name in ("tcp", "tcp6") if (table := self._told(container, f"net/{name}")) is not None]
        return listeners(tables) if tables else None

    def status(self, container: str) -> str | None:
        """The kernel's words about process 1 of the container (proc(5), status); None when it cannot be seen."""
        return self._told(container, "status")

    def memory_counts(self, container: str) -> str:
        """The kernel's count of the container's memory (memory.stat of its cgroup); "" when it cannot be seen."""
        seen = self.observe(container)
        return kernel.memory(self._client.api, seen.id, seen.pid) or "" if seen.running else ""

    def _told(self, container: str, path: str) -> str | None:
        try:
            seen = self.observe(container)
        except MooringError:
            return None
        return kernel.told(self._client.api, seen.id, seen.pid, path)

    def stop(self, container: str, *, signals: Mapping[str, float], kill: bool = True) -> bool:
        """Send each signal in turn and wait its seconds; then, with `kill`, end it. Whether it has ended."""
        for name, seconds in signals.items():
            if not self.observe(container).running:
                return True
            with translated(), contextlib.suppress(docker.errors.APIError):  # it may end by itself meanwhile
                self._client.api.kill(container, signal=name)
            if self._has_ended(container, within=seconds):
                return True
        if kill:
            with translated(), contextlib.suppress(docker.errors.APIError):
                self._client.api.kill(container)
            return self._has_ended(container, within=CALL_TIMEOUT_SECONDS)
        return not self.observe(container).running

    def _has_ended(self, container: str, *, within: float) -> bool:
        deadline = time.monotonic() + within
        while self.observe(container).running:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def remove(self, container: str) -> None:
        """End the container at once if it runs, and forget it with its anonymous volumes; idempotent."""
        with contextlib.suppress(NotFound), translated():
            with contextlib.suppress(docker.errors.APIError):  # Podman would send SIGTERM, and wait
                self._client.api.kill(container)
            self._client.api.remove_container(container, v=True, force=True)
            self._refusals.pop(container, None)

    def containers(self, *, label: str = "") -> tuple[str, ...]:
        """The ids of all containers, running or not; with a label, those that carry `key` or `key=value`."""
        with translated():
            filters = {"label": label} if label else {}
            return tuple(one["Id"] for one in self._client.api.containers(all=True, filters=filters))


def _knock(address: Address) -> None:
    """OSError when nobody is behind a Unix socket; the SDK would leave its own half of such a connection open."""
    if address.url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            knocking.connect(address.url.removeprefix("unix://"))


def _labels(launch: Launch) -> dict[str, str]:
    """Its labels; those of ours that it has not are given as empty, as its image could bring them along."""
    port = "" if launch.published else str(launch.port)
    return {OWNER_LABEL: "", CAGE_LABEL: "", LABEL: "true", PORT_LABEL: port, **launch.labels}
