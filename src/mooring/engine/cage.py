"""A cage: a container with a network of its own, which we reach and from which no way leads out.

The network is an internal bridge: without a gateway to anywhere, and without a name server. We reach the container at
its own address, as engines publish no ports of internal networks. A bridge being a wire with two ends, it can reach
what listens on all addresses of this very machine; no engine offers less to those who are not root.
"""

from __future__ import annotations

import contextlib
import ipaddress
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from docker.types import IPAMConfig, IPAMPool

from mooring.engine.container import Confinement
from mooring.engine.disk import DiskWatch
from mooring.engine.interruption import held_back
from mooring.engine.leftovers import CAGE_LABEL, Names, new_word, remove_leftovers, remove_network
from mooring.engine.limits import milder
from mooring.engine.refusal import is_for_limits
from mooring.engine.translation import translated
from mooring.errors import MooringError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.engine.container import Launch
    from mooring.engine.docker import DockerEngine

# The range set aside for measuring devices (RFC 2544), which no network at large uses: the engine's own few pools stay
# free, and nobody's network is hidden.
RANGE = ipaddress.ip_network("198.18.0.0/15")
PREFIX = 28
TRIES = 20
# A model and the machine both need to live: what a cage may use of the engine's memory, unless it is told.
SHARE_OF_MEMORY = 0.5
# Half of what others get: a container that spins leaves the machine, and the check, able to act.
CPU_SHARES = 512
ROUTES = Path("/proc/net/route")
NOT_CUT_OFF = (
    "the network of this engine cannot be reached from here, so an ordinary one was used, "
    "through which the container could reach other machines"
)


@dataclass(frozen=True)
class Caged:
    """A started container; `leak` says what could not be cut off, "" when it could reach nothing but this machine.

    `disk` watches what it writes.
    """

    container: str
    launch: Launch
    leak: str
    disk: DiskWatch


@contextlib.contextmanager
def caged(engine: DockerEngine, launch: Launch, *, is_here: Callable[[str], bool] | None = None) -> Iterator[Caged]:
    """Start a container in a cage, and remove both whatever happens, an interruption too.

    What earlier checks left behind because they were killed is removed first. `is_here` tells whether a network
    interface of that name belongs to this machine. Errors as `DockerEngine.start`.
    """
    cage = _Cage(engine, is_here or _is_here)
    try:
        with held_back():
            remove_leftovers(engine)
            started = cage.start(launch)
        with contextlib.closing(started.disk):
            yield started
    finally:
        with held_back():
            cage.remove()


class _Cage:
    """One network and the container on it, both named and marked with a word of their own."""

    def __init__(self, engine: DockerEngine, is_here: Callable[[str], bool]) -> None:
        self._engine = engine
        self._is_here = is_here
        self._names = Names(new_word())

    def start(self, launch: Launch) -> Caged:
        confinement = launch.confinement or self._confinement()
        wanted = replace(
            launch,
            name=self._names.container,
            network=self._names.network,
            labels={**launch.labels, **self._names.labels},
            memory_bytes=launch.memory_bytes or self._share_of_memory(),
            confinement=confinement,
        )
        direct = replace(wanted, published=False)
        self._make_inner_network()
        container, direct = self._started(direct)
        # Some engines make the interface with the first container. One that has ended needs no way to it.
        if self._is_here(self._names.bridge) or not self._engine.observe(container).running:
            return self._caged(container, direct, "")
        self.remove()
        self._make_network()
        return self._caged(*self._started(wanted), NOT_CUT_OFF)

    def _started(self, launch: Launch) -> tuple[str, Launch]:
        """A container with the first of the milder limits that the engine may set, and how it was started."""
        *attempts, last = (replace(launch, confinement=one) for one in milder(launch.confinement or Confinement()))
        for attempt in attempts:
            try:
                return self._engine.start(attempt), attempt
            except Unavailable as error:
                if not is_for_limits(error.message):
                    raise
        return self._engine.start(last), last

    def _caged(self, container: str, launch: Launch, leak: str) -> Caged:
        limit = (launch.confinement or Confinement()).disk_bytes
        return Caged(container, launch, leak, DiskWatch(self._engine, container, limit_bytes=limit))

    def _confinement(self) -> Confinement:
        """With Docker the name server is the container's own loopback, where at once nobody is; Podman would ask ours.

        Podman may refuse to share out processors where it is not root; Docker then does without.
        """
        if self._engine.program != "docker":
            return Confinement()
        return Confinement(name_server="127.0.0.1", cpu_shares=CPU_SHARES)

    def _share_of_memory(self) -> int:
        with translated():
            return int(int(self._engine.api.info().get("MemTotal") or 0) * SHARE_OF_MEMORY)

    def _make_network(self) -> None:
        with translated(f"network {self._names.network}"):
            self._engine.api.create_network(self._names.network, driver="bridge", labels=self._names.labels)

    def _make_inner_network(self) -> None:
        """An internal one; its gateway is an address that nobody has, as not every engine leaves the gateway out."""
        for attempt in range(TRIES):
            first = int(RANGE[0]) + (random.getrandbits(PREFIX - RANGE.prefixlen) << (32 - PREFIX))
            subnet = ipaddress.ip_network((first, PREFIX))
            pool = IPAMPool(
                subnet=str(subnet), gateway=str(subnet[1]), aux_addresses={"DefaultGatewayIPv4": str(subnet[-2])}
            )
            try:
                with translated(f"network {self._names.network}"):
                    self._engine.api.create_network(
                        self._names.network,
                        driver="bridge",
                        internal=True,
                        options={"com.docker.network.bridge.name": self._names.bridge},
                        ipam=IPAMConfig(pool_configs=[pool]),
                        labels=self._names.labels,
                    )
            except MooringError as error:
                if "overlap" not in error.message or attempt == TRIES - 1:
                    raise
            else:
                return

    def remove(self) -> None:
        """Whatever carries our word; what an engine that fell silent keeps, the next check removes."""
        mark = f"{CAGE_LABEL}={self._names.word}"
        with contextlib.suppress(MooringError):
            for container in self._engine.containers(label=mark):
                self._engine.remove(container)
        with contextlib.suppress(MooringError), translated():
            for network in self._engine.api.networks(filters={"label": mark}):
                remove_network(self._engine, network["Id"])


def _is_here(interface: str) -> bool:
    """Whether this machine has a way to the interface: Podman gives it no address, where the network has no gateway."""
    try:
        routes = ROUTES.read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(route.split("\t", 1)[0] == interface for route in routes)
