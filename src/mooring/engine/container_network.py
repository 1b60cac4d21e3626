"""The network of a platform's containers: a bridge of their own, on which they cannot reach each other.

Where this machine sees the bridge, containers are reached at their own addresses on it. Where it does not (Docker
Desktop, an engine on another machine, Podman of a user), their ports are published on the loopback.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine.container_spec import PLATFORM_LABEL
from mooring.engine.leftovers import remove_network
from mooring.engine.translation import translated
from mooring.errors import Conflict, MooringError

if TYPE_CHECKING:
    from mooring.engine.docker import DockerEngine

ROUTES = Path("/proc/net/route")
# Interfaces have names of at most 15 characters.
BRIDGE_DIGITS = 10
# Podman knows no such option, and refuses what it does not know.
APART = {"com.docker.network.bridge.enable_icc": "false"}

# In the words of Docker, and of Podman.
MADE_BY_OTHERS = re.compile(r"same bridge name|already exists|already used|already in use", re.IGNORECASE)
OTHERS_SECONDS = 10.0
POLL_SECONDS = 0.05


class PlatformNetwork:
    """The network of one platform, in whatever engine it is asked about."""

    def __init__(self, platform_id: str) -> None:
        self._platform_id = platform_id
        self.name = f"mooring.{platform_id}"
        self.bridge = f"moor-{hashlib.sha256(platform_id.encode()).hexdigest()[:BRIDGE_DIGITS]}"

    def ensure(self, engine: DockerEngine, *, program: str) -> None:
        """Make it, if it is not there. Conflict when somebody else has its name."""
        deadline = time.monotonic() + OTHERS_SECONDS
        while not self._is_there(engine):
            try:
                self._make(engine, program)
            except MooringError as error:
                # Of many who make it at once one succeeds: no two networks have one bridge. It is listed later.
                if not MADE_BY_OTHERS.search(error.message) or time.monotonic() > deadline:
                    raise
                time.sleep(POLL_SECONDS)

    def _make(self, engine: DockerEngine, program: str) -> None:
        bridge = {"com.docker.network.bridge.name": self.bridge}
        with translated(f"network {self.name}"):
            engine.api.create_network(
                self.name,
                driver="bridge",
                options={**bridge, **(APART if program == "docker" else {})},
                labels={PLATFORM_LABEL: self._platform_id},
                check_duplicate=True,
            )

    def is_seen(self, engine: DockerEngine) -> bool:
        """Whether this machine has a way to its containers; some engines make the interface with the first of them."""
        return engine.is_here and _has_route(self.bridge)

    def remove(self, engine: DockerEngine) -> None:
        """Remove it, if no container runs on it; idempotent."""
        with contextlib.suppress(MooringError):
            if self._is_there(engine):
                remove_network(engine, self.name)

    def _is_there(self, engine: DockerEngine) -> bool:
        with translated():
            found = [one for one in engine.api.networks(names=[self.name]) if one["Name"] == self.name]
        if found and (found[0].get("Labels") or {}).get(PLATFORM_LABEL) != self._platform_id:
            raise Conflict(f"the engine has a network {self.name} that this platform did not make", hint="remove it")
        return bool(found)


def _has_route(interface: str) -> bool:
    try:
        routes = ROUTES.read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(route.split("\t", 1)[0] == interface for route in routes)
