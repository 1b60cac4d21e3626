"""Making a workload's container and starting it: once, whoever else does the same, and whoever was killed doing it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import docker.errors

from mooring.engine.container_network import PlatformNetwork
from mooring.engine.container_seen import Seen, seen_in
from mooring.engine.container_spec import Place, container_name, creation
from mooring.engine.refusal import Refusal
from mooring.engine.translation import explanation, translated
from mooring.errors import Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from mooring.engine.container_ground import Ground
    from mooring.engine.workload import Workload

# An engine keeps a name from others before it shows who has it, and for a while after that one is removed.
TRY_SECONDS = 20.0
# Whoever has made a container starts it at once; one that is not by then, nobody will start but we.
OTHERS_SECONDS = 5.0
POLL_SECONDS = 0.1
# The last container of a platform takes the network with it.
NETWORK_GONE = re.compile(r"network (?:[0-9a-f]{64}|mooring\.\S+) not found|unable to find network")


class Starting:
    """The containers of one platform in one engine; everything here blocks.

    Remembered is only why containers did not start, which Podman says but once.
    """

    def __init__(self, platform_id: str, ground: Ground) -> None:
        self._platform_id = platform_id
        self._ground = ground
        self._refusals: dict[str, Refusal] = {}
        self.network = PlatformNetwork(platform_id)

    def look(self, container: str) -> Seen | None:
        """The container of that id or name; None when it is not there, or not the platform's."""
        attrs = self._inspect(container)
        return seen_in(attrs, self._platform_id, self._refusals.get(attrs["Id"])) if attrs else None

    def apply(self, workload: Workload) -> None:
        """As the promise has it; Conflict when somebody else has the container's name."""
        name = container_name(self._platform_id, workload.name)
        deadline = time.monotonic() + TRY_SECONDS
        while True:
            made = self._wait_for_others(name) if self._inspect(name) else self._make(workload)
            if made is None or (made and self._start(made)):
                return
            if time.monotonic() > deadline:
                raise Unavailable(f"container {name} is taken away as often as it is made", hint="who removes it?")
            time.sleep(POLL_SECONDS)

    def forget(self, container: str) -> None:
        """It is gone."""
        self._refusals.pop(container, None)

    def _inspect(self, container: str) -> dict[str, Any] | None:
        try:
            with translated(f"container {container}"):
                return dict(self._ground.engine.api.inspect_container(container))
        except NotFound:
            return None

    def _wait_for_others(self, name: str) -> str | None:
        """The id of what is there and must be started; None when nothing is to be done, "" when it has gone."""
        deadline = time.monotonic() + OTHERS_SECONDS
        while True:
            attrs = self._inspect(name)
            if not attrs:
                return ""
            seen = seen_in(attrs, self._platform_id, self._refusals.get(attrs["Id"]))
            if seen is None:
                raise Conflict(
                    f"the engine has a container {name} that this platform did not make", hint="rename or remove it"
                )
            if not seen.is_unborn:
                return None
            if time.monotonic() > deadline:
                return seen.container.id
            time.sleep(POLL_SECONDS)

    def _make(self, workload: Workload) -> str:
        """The id of a new container; "" when another has its name by now, or its network went away."""
        api = self._ground.engine.api
        arguments = creation(workload, self._place())
        options = api.create_host_config(**arguments.pop("host_config"))
        try:
            with translated(f"a container of {workload.image}"):
                return str(api.create_container(**arguments, host_config=options)["Id"])
        except Conflict:
            return ""
        except NotFound:
            self._ground.engine.image(workload.image)
            return ""

    def _place(self) -> Place:
        ground = self._ground
        self.network.ensure(ground.engine, program=ground.program)
        seen = self.network.is_seen(ground.engine)
        return Place(self._platform_id, self.network.name, published=not seen, processors=ground.processors)

    def _start(self, container: str) -> bool:
        """Start it, or have it seen why it cannot be; whether that is over, and need not be tried again."""
        with translated():
            try:
                self._ground.engine.api.start(container)
            except docker.errors.APIError as error:
                return self._refused(container, error)
            return True

    def _refused(self, container: str, error: docker.errors.APIError) -> bool:
        engine, refusal = self._ground.engine, Refusal(explanation(error))
        if NETWORK_GONE.search(refusal.words):
            engine.remove(container)
            return False
        if refusal.is_for_image:
            self._refusals[container] = refusal
        seen = self.look(container)
        if seen and not seen.container.error:
            engine.remove(container)
            raise error
        return seen is not None
