"""A platform's middle on a real database and a world in memory, looked at step by step, with a clock that can jump."""

import asyncio
import contextlib
import threading
import time
import uuid

from mooring.contract import edition
from mooring.control.clock import Clock
from mooring.control.gateways import Gateways
from mooring.control.look import Ground
from mooring.control.reconcile import Hands, Reconciler
from mooring.control.replica_logs import ReplicaLogs
from mooring.control.services import Services
from mooring.control.story import EventQuery, Story
from mooring.control.tables import Model, Project, Replica, Revision, Service
from mooring.control.wishes import ServiceChange, ServiceEntry, ServiceWish
from mooring.engine.memory import MemoryEngine
from mooring.gateway.link import GatewayReport
from mooring.gateway.table import Principal, Table

PROJECT = "p" * 32
ANYONE = Principal(project_id=PROJECT, user_name="admin", key_id="k")
PLATFORM = "platform-1"
PATIENCE_SECONDS = 60


class JumpingClock:
    """The time of this machine, and what the test has let pass beyond it."""

    def __init__(self):
        self.ahead_ms = 0

    def __call__(self):
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def jump(self, seconds):
        self.ahead_ms += int(seconds * 1000)


async def _moment(_seconds):
    """Wherever waiting is asked for, look at the clock again soon: it may have jumped."""
    await asyncio.sleep(0.005)


class Caller:
    """A gateway as control sees it: it goes by the newest table, and has calls in flight where the test says so."""

    def __init__(self, gateways):
        self.gateways = gateways
        self.id = uuid.uuid4().hex
        self.number = 0
        self.in_flight = {}
        self.table = Table()

    async def report(self):
        newest = await self.gateways.table(after=self.table.number)
        if newest.number > self.table.number:
            self.table = newest
        self.number += 1
        await self.gateways.report(
            GatewayReport(
                gateway_id=self.id, number=self.number, table=self.table.number, in_flight=dict(self.in_flight)
            )
        )

    def route(self, service_id):
        return self.table.routes[service_id]

    def targets(self, service_id):
        return sorted(target.replica for share in self.route(service_id).shares for target in share.targets)

    def images(self, service_id, house):
        """What answers, by weight: the images of the replicas that calls go to."""
        return {
            house.world.replica(target.replica).workload.image: share.weight
            for share in self.route(service_id).shares
            for target in share.targets
            if share.weight
        }


class House:
    """One life of a platform; another one on the same database, world and clock goes on where this one was left."""

    def __init__(self, db, settings, world, clock):
        self.db, self.settings, self.world, self.clock = db, settings, world, clock
        self.engine = MemoryEngine(PLATFORM, world)
        self.gateways = Gateways(db, now_ms=clock, hold_seconds=0)
        self.gateways.open()
        self.story = Story(db, clock)
        self.logs = ReplicaLogs(self.engine, settings.data / "logs", most_bytes=10_000, sleep=_moment)
        ground = Ground(settings=settings, edition=edition(settings.edition), story=self.story, engine="memory")
        hands = Hands(self.engine, self.gateways, self.logs)
        self.reconciler = Reconciler(db, ground, hands, Clock(clock, _moment))
        self.services = Services(db, self.story, settings, clock)
        self.services.on_wish = self.reconciler.wake
        self.caller = Caller(self.gateways)
        self.seen = []

    async def again(self):
        """The platform is killed at this moment, and started again; its gateway and its engine live on outside.

        What was asked of the engine is done by it, whether anybody waits for that or not.
        """
        await self.reconciler._prober.close()
        await self.logs.close()
        self.reconciler._doings._done = lambda _: None
        next_life = House(self.db, self.settings, self.world, self.clock)
        next_life.caller, next_life.seen = self.caller, self.seen
        next_life.caller.gateways = next_life.gateways
        return next_life

    async def close(self):
        await self.reconciler.close()
        await self.engine.close()

    def model(self, image, *, version="1.0.0", name="digits", config=None):
        model_id = str(uuid.uuid4())
        with self.db.begin() as session:
            if session.get(Project, PROJECT) is None:
                session.add(Project(id=PROJECT, name="default", domain_id="d", domain_name="d", created_at=1))
                session.flush()
            session.add(
                Model(
                    id=model_id,
                    project_id=PROJECT,
                    owner="admin",
                    model_name=name,
                    model_version=version,
                    model_type="Image",
                    description="",
                    workspace_id="0",
                    status="published",
                    error_msg="",
                    source_location=image,
                    source_copy=False,
                    image=image,
                    image_digest="",
                    size_bytes=0,
                    initial_config="",
                    config=config,
                    request={},
                    created_at=1,
                    updated_at=1,
                )
            )
        return model_id

    def deploy(self, model_id, *, instances=1, schedule=(), name="mnist", **more):
        wish = ServiceWish(
            service_name=name, infer_type="real-time", config=(entry(model_id, instances, **more),), schedule=schedule
        )
        return self.services.create(ANYONE, wish)

    def update(self, service_id, *entries):
        self.services.update(ANYONE, service_id, ServiceChange(config=entries))

    def turn(self, service_id, status):
        self.services.update(ANYONE, service_id, ServiceChange(status=status))

    def view(self, service_id):
        return self.services.get(ANYONE, service_id)

    def status(self, service_id):
        with self.db.read() as session:
            service = session.get(Service, service_id)
            return str(service.status) if service else "gone"

    def results(self, service_id):
        with self.db.read() as session:
            found = session.query(Revision).filter_by(service_id=service_id).order_by(Revision.number)
            return [(one.number, one.result) for one in found]

    def rows(self, service_id):
        with self.db.read() as session:
            return session.query(Replica).filter_by(service_id=service_id).order_by(Replica.name).all()

    def events(self, service_id, *, abnormal=False):
        query = EventQuery(order="asc", event_type="abnormal" if abnormal else "")
        return [event.event_info for event in self.story.events(PROJECT, service_id, query).items]

    def running(self):
        return sorted(name for (_, name), one in self.world.replicas.items() if one.sighting.url)

    async def step(self, *, seconds=0.0):
        """One look, after so much time; and what callers and replicas do meanwhile."""
        self.clock.jump(seconds)
        await self.reconciler.look()
        await self.caller.report()
        await asyncio.sleep(0.01)

    async def until(self, done, *, service_id=None, seconds=0.0):
        """Step until it is so; the statuses that were seen on the way are kept in `seen`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            await self.step(seconds=seconds)
            if service_id:
                status = self.status(service_id)
                if self.seen[-1:] != [status]:
                    self.seen.append(status)
            if done():
                return
            assert time.monotonic() < deadline, f"it was still not so; statuses were {self.seen}"

    async def until_status(self, service_id, status, *, seconds=0.0):
        await self.until(lambda: self.status(service_id) == status, service_id=service_id, seconds=seconds)

    async def rest(self, service_id):
        """Step until nothing moves any more."""
        await self.until(lambda: service_id in self.reconciler._rests)


def entry(model_id, instances=1, **more):
    properties = {key: more.pop(key) for key in list(more) if key.startswith(("max_", "termination_"))}
    return ServiceEntry(
        model_id=model_id,
        specification=more.pop("specification", "local.cpu.half"),
        instance_count=instances,
        additional_properties=properties,
        **more,
    )


@contextlib.contextmanager
def locked(db):
    """Somebody else writes to the database, and does not come to an end."""
    has_it, enough = threading.Event(), threading.Event()

    def write():
        with db.begin():
            has_it.set()
            enough.wait(PATIENCE_SECONDS)

    writer = threading.Thread(target=write)
    writer.start()
    assert has_it.wait(PATIENCE_SECONDS)
    try:
        yield
    finally:
        enough.set()
        writer.join()
