import asyncio
import contextlib

from doubles.replicas import answer, replica, says, waits
from gateway.place import SERVICE, error, gateway, route, run, share, table, until

from mooring.errors import Unavailable

MINUTE_MS = 60_000


class Control:
    """Control as a gateway sees it, kept in memory; it may be away."""

    def __init__(self, first):
        self.current = first
        self.changed = asyncio.Event()
        self.reports = []
        self.away = False
        self.loses_answers = False

    def publish(self, new):
        self.current = new
        self.changed.set()

    async def table(self, *, after):
        if self.away:
            raise Unavailable("away")
        if self.current.number <= after:
            self.changed.clear()
            await self.changed.wait()
        return self.current

    async def report(self, report):
        if self.away:
            raise Unavailable("away")
        self.reports.append(report)
        if self.loses_answers:
            raise Unavailable("lost on the way back")

    @property
    def last(self):
        return self.reports[-1] if self.reports else None

    def counted(self):
        """Calls and failures by model, each report counted once."""
        seen, sums = set(), {}
        for report in self.reports:
            if report.number not in seen:
                seen.add(report.number)
                for count in report.counts:
                    calls, failures = sums.get(count.model_id, (0, 0))
                    sums[count.model_id] = (calls + count.calls, failures + count.failures)
        return sums


@contextlib.asynccontextmanager
async def linked(*routes, **options):
    control = Control(table(*routes))
    async with gateway(link=control, gateway_id="gw-1", **options) as place:
        running = asyncio.create_task(place.gateway.run())
        await until(lambda: control.last and control.last.table == 1)
        try:
            yield place, control
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def test_a_new_table_is_in_use_and_reported_at_once():
    async def scene():
        async with replica() as model, linked(route(share())) as (place, control):
            assert (await place.post(content=b"x")).status_code == 503
            control.publish(table(route(share(model.url)), number=2))
            await until(lambda: control.last.table == 2, seconds=0.5)
            assert (await place.post(content=b"x")).status_code == 200

    run(scene())


def test_until_it_has_a_table_calls_are_asked_to_come_again_whoever_makes_them():
    async def scene():
        async with gateway() as place:
            response = await place.post(content=b"x")
            assert error(response) == (503, "ModelArts.4302", "gateway")
            assert response.headers["retry-after"] == "1"

    run(scene())


def test_calls_and_failures_are_counted_by_version_and_minute():
    async def scene():
        said = answer(b"no", status="500 Oops")
        async with replica() as good, replica(says(said)) as bad:
            lots = iter([0.1, 0.9] * 5)
            shares = (share(good.url, weight=50), share(bad.url, weight=50, model="model-2", first=1))
            now = 1_700_000_000_000
            async with linked(route(*shares), lot=lambda: next(lots), now_ms=lambda: now) as (place, control):
                for _ in range(10):
                    await place.post(content=b"x")
                await place.post(headers={"X-Auth-Token": "no"})
                await until(lambda: len(control.counted()) == 2)
                assert control.counted() == {"model-1": (5, 0), "model-2": (5, 5)}
                counts = [count for report in control.reports for count in report.counts]
                assert {(count.service_id, count.minute) for count in counts} == {(SERVICE, now // MINUTE_MS)}

    run(scene())


def test_a_report_whose_answer_was_lost_is_told_again_under_its_number():
    async def scene():
        async with replica() as model, linked(route(share(model.url))) as (place, control):
            control.loses_answers = True
            for _ in range(3):
                await place.post(content=b"x")
            await until(control.counted)
            first = control.last
            await until(lambda: control.last is not first)
            assert (control.last.number, control.last.counts) == (first.number, first.counts)
            control.loses_answers = False
            for _ in range(4):
                await place.post(content=b"x")
            await until(lambda: control.counted().get("model-1") == (7, 0))

    run(scene())


def test_traffic_goes_on_while_control_is_away_and_nothing_is_lost_from_the_count():
    async def scene():
        async with replica() as model, linked(route(share(model.url))) as (place, control):
            control.away = True
            await asyncio.sleep(1.2)
            for _ in range(5):
                assert (await place.post(content=b"x")).status_code == 200
            await asyncio.sleep(1.2)
            control.away = False
            await until(lambda: control.counted().get("model-1") == (5, 0))

    run(scene())


def test_a_drained_replica_is_reported_silent_as_soon_as_it_is():
    async def scene():
        gate = asyncio.Event()
        async with replica(waits(gate)) as model, linked(route(share(model.url))) as (place, control):
            call = asyncio.create_task(place.post(content=b"x"))
            await until(lambda: model.seen)
            control.publish(table(route(share()), number=2))
            await until(lambda: control.last.table == 2)
            assert control.last.in_flight == {"replica-0": 1}
            gate.set()
            await until(lambda: control.last.in_flight == {}, seconds=0.5)
            assert (await call).content == b"late"

    run(scene())


def test_an_older_table_is_not_taken():
    async def scene():
        async with replica() as model, gateway(route(share(model.url))) as place:
            place.gateway.take(table(number=0))
            assert (await place.post(content=b"x")).status_code == 200

    run(scene())
