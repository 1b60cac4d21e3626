"""Makes wishes about services true, and keeps them true: look, write down, do, and look again.

Nothing is carried from one look to the next that could not be read again from the rows and the engine; so whoever is
killed here leaves nothing that the next one would not find. Rows are written before the engine is asked for anything,
and what the engine has of this platform without a row is removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mooring.control.doings import Doings
from mooring.control.look import End, Look, Settled
from mooring.control.members import storable
from mooring.control.probing import Prober
from mooring.control.replicas import SERVICE_LABEL
from mooring.control.settling import Settling
from mooring.control.tables import Replica, Service
from mooring.control.threads import in_thread
from mooring.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.control.clock import Clock
    from mooring.control.database import Database
    from mooring.control.gateways import Gateways
    from mooring.control.look import Ground
    from mooring.control.replica_logs import ReplicaLogs
    from mooring.engine.workload import Engine, WorkloadSighting

LOG = logging.getLogger(__name__)
# When the engine or the database is away, the next look comes after 1, 2, 4 ... times the usual, at most so much later.
MOST_BACK_OFF_SECONDS = 10.0
# A service in which nothing moves is looked at again after so long all the same.
REST_MS = 30_000


@dataclass(frozen=True)
class Hands:
    """What the reconciler acts with."""

    engine: Engine
    gateways: Gateways
    logs: ReplicaLogs


@dataclass(frozen=True)
class _Rest:
    """A service in which nothing is to be done as long as its row and its replicas are like this."""

    like: tuple[Any, ...]
    since_ms: int


class Reconciler:
    """One for all services of a platform; `look` is one round, `run` one after the other."""

    def __init__(self, db: Database, ground: Ground, hands: Hands, clock: Clock) -> None:
        timings = ground.settings.timings
        self._db = db
        self._ground = ground
        self._hands = hands
        self._clock = clock
        self._resync_seconds = timings.resync_seconds
        self._prober = Prober(
            hands.engine,
            now_ms=clock.now_ms,
            on_change=self._wake_owner,
            eager_seconds=timings.probe_seconds,
            sleep=clock.sleep,
        )
        self._doings = Doings(hands.engine, ground.edition, refused=self._write_refused, done=self.wake)
        self._settled: dict[str, Settled] = {}
        self._rests: dict[str, _Rest] = {}
        self._woken: set[str] = set()
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Called after each look with the ready replicas of batch services: URLs by name, by the service's id.
        self.on_targets: Callable[[Mapping[str, Mapping[str, str]]], None] = lambda _: None

    def wake(self, service_id: str) -> None:
        """Look at a service at once; from any thread."""
        self._woken.add(service_id)
        if self._loop:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody to wake
                self._loop.call_soon_threadsafe(self._event.set)

    async def run(self) -> None:
        """Go on for ever. What is away is waited for, and our own mistakes are told and tried again."""
        failures = 0
        try:
            while True:
                try:
                    await self.look()
                    failures = 0
                except Unavailable as error:
                    failures += 1
                    LOG.log(logging.WARNING if failures == 1 else logging.DEBUG, "services have to wait: %s", error)
                except Exception:
                    failures += 1
                    LOG.exception("looking at the services failed")
                await self._pause(failures)
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop acting. Replicas stay as they are."""
        await self._doings.close()
        await self._prober.close()
        await self._hands.logs.close()

    async def look(self) -> None:
        """Look once at every service in which something may have changed, and begin to do what follows.

        Unavailable when the engine or the database is away: then nothing is concluded from what was not seen.
        """
        self._loop = asyncio.get_running_loop()
        woken, self._woken = self._woken, set()
        try:
            await self._look(woken)
        except BaseException:
            self._woken |= woken
            raise

    async def _look(self, woken: set[str]) -> None:
        busy = self._doings.busy
        sightings = await self._hands.engine.observe()
        # What was over while the engine was telling, it may have told as it was before.
        look = self._see(sightings, {**busy, **self._doings.busy})
        services, known = await in_thread(self._read)
        self._remove_strangers(look, known)
        for service_id in set(self._settled) - set(services):
            self._take_leave(service_id)
        try:
            for service_id, row in services.items():
                like = (row, *_seen_of(service_id, look))
                if service_id in woken or not self._is_resting(service_id, like):
                    await self._settle(service_id, look, like)
        finally:
            self._follow()
        self._hands.gateways.publish({name: one.route for name, one in self._settled.items() if one.route})
        self.on_targets({name: one.targets for name, one in self._settled.items() if one.targets})

    def _see(self, sightings: Mapping[str, WorkloadSighting], busy: Mapping[str, Any]) -> Look:
        conditions = {name: self._prober.condition(name) for name in sightings}
        quiet = self._hands.gateways.quiet(sightings)
        diagnoses, self._doings.diagnoses = self._doings.diagnoses, {}
        return Look(
            now_ms=self._clock.now_ms(),
            sightings=sightings,
            probed=conditions.get,
            is_quiet=quiet.__contains__,
            busy=busy,
            diagnoses=diagnoses,
        )

    def _read(self) -> tuple[dict[str, tuple[Any, ...]], frozenset[str]]:
        """The services, each with all by which a change of what is wanted shows, and the names of all replicas."""
        wishes = (Service.target, Service.status, Service.revision, Service.due_at, Service.operation_at)
        with self._db.read() as session:
            rows = session.execute(select(Service.id, *wishes))
            services = {service_id: tuple(rest) for service_id, *rest in rows}
            return services, frozenset(session.scalars(select(Replica.name)))

    def _is_resting(self, service_id: str, like: tuple[Any, ...]) -> bool:
        rest, now = self._rests.get(service_id), self._clock.now_ms()
        due_at = like[0][3]
        is_due = due_at is not None and due_at <= now
        return rest is not None and rest.like == like and now - rest.since_ms < REST_MS and not is_due

    async def _settle(self, service_id: str, look: Look, like: tuple[Any, ...]) -> None:
        self._rests.pop(service_id, None)
        try:
            settled = await in_thread(self._look_at, service_id, look)
        except Unavailable:
            raise
        except Exception:
            LOG.exception("looking at service %s failed", service_id)
            return
        if settled.route is None:
            self._take_leave(service_id)
            return
        self._settled[service_id] = settled
        if settled.rests:
            self._rests[service_id] = _Rest(like, look.now_ms)

    def _look_at(self, service_id: str, look: Look) -> Settled:
        with self._db.begin() as session:
            service = session.get(Service, service_id)
            return Settling(self._ground, session, service, look).settle() if service else Settled()

    def _follow(self) -> None:
        """Do what was settled; what is done is done about rows that are kept."""
        subjects, followed = {}, {}
        for service_id, settled in self._settled.items():
            subjects.update(settled.subjects)
            followed.update(settled.followed)
            for name in settled.forgotten:
                self._hands.gateways.forget(name)
            settled.forgotten.clear()
            for name, doing in settled.doings.items():
                self._doings.begin(service_id, name, doing)
            settled.doings.clear()
            if settled.undiagnosed:
                self._doings.diagnose(service_id, settled.undiagnosed)
        busy = self._doings.busy
        self._prober.keep({name: subject for name, subject in subjects.items() if name not in busy})
        self._hands.logs.keep(followed)

    def _take_leave(self, service_id: str) -> None:
        """It is gone, and with it what its replicas wrote."""
        self._settled.pop(service_id, None)
        self._rests.pop(service_id, None)
        self._doings.spawn(self._hands.logs.remove(service_id))

    def _remove_strangers(self, look: Look, known: frozenset[str]) -> None:
        for name in set(look.sightings) - known - set(look.busy):
            LOG.warning("removing %s, which runs for this platform and belongs to no service", name)
            self._doings.begin("", name, End(name, self._ground.settings.timings.grace_seconds))

    def _wake_owner(self, name: str) -> None:
        for service_id, settled in self._settled.items():
            if name in settled.subjects:
                self.wake(service_id)

    async def _write_refused(self, name: str, why: str) -> None:
        """The engine would not have a replica: that counts as an end, and is tried again as after one."""
        try:
            await in_thread(self._refuse, name, why)
        except Unavailable as error:
            LOG.warning("could not write down that %s was refused: %s", name, error)

    def _refuse(self, name: str, why: str) -> None:
        with self._db.begin() as session:
            if row := session.get(Replica, name):
                row.exited_at, row.why = self._clock.now_ms(), storable(why)

    async def _pause(self, failures: int) -> None:
        if failures:  # whoever wakes us meanwhile is heard when what is away is back
            await asyncio.sleep(min(self._resync_seconds * 2 ** min(failures, 10), MOST_BACK_OFF_SECONDS))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._resync_seconds):
                await self._event.wait()
        self._event.clear()


def _seen_of(service_id: str, look: Look) -> tuple[Any, ...]:
    """All that is seen of a service's replicas, to be compared."""
    mine = sorted(name for name, seen in look.sightings.items() if seen.labels.get(SERVICE_LABEL) == service_id)
    return tuple((look.sightings[name], look.probed(name), look.busy.get(name)) for name in mine)
