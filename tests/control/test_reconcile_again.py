"""The platform is killed at any moment and started again: nothing is doubled, nothing is lost, and nobody sees it."""

import asyncio
from collections import Counter

import pytest
from control.house import ANYONE, House, JumpingClock, entry, locked

from mooring.engine.memory import MemoryWorld
from mooring.errors import Unavailable


@pytest.fixture
def world():
    with MemoryWorld() as made:
        yield made


@pytest.fixture
def clock():
    return JumpingClock()


@pytest.fixture
def house(db, settings, world, clock):
    return House(db, settings, world, clock)


def run(test):
    asyncio.run(asyncio.wait_for(test, 100))


def phases(version):
    label = f"[digits {version}]"
    return [
        *(f"building image for model {label}", f"model (digits {version}) build image success"),
        *("preparing environment", f"{label} prepare environment success"),
        *(f"{label} schedule resource success", f"{label} pulling model image"),
        *(f"{label} pull image success", f"{label} starting model"),
    ]


class Lives:
    """A platform that is killed after every so many looks."""

    def __init__(self, house, looks):
        self.house, self.looks, self.left = house, looks, looks

    async def until(self, service, done):
        for _ in range(400):
            if self.left == 0:
                self.house, self.left = await self.house.again(), self.looks
            self.left -= 1
            await self.house.step()
            status = self.house.status(service)
            if self.house.seen[-1:] != [status]:
                self.house.seen.append(status)
            if done(self.house):
                return
        raise AssertionError(f"it was still not so; statuses were {self.house.seen}")

    async def until_status(self, service, status):
        await self.until(service, lambda house: house.status(service) == status)

    async def until_only(self, service, image, count):
        def so(house):
            images = [house.world.replica(name).workload.image for name in house.running()]
            return images == [image] * count and len(house.rows(service)) == count

        await self.until(service, so)


@pytest.mark.parametrize("looks", [2, 3, 5])
def test_a_life_of_a_service_is_the_same_when_the_platform_is_killed_all_the_time(house, looks):
    async def test():
        lives = Lives(house, looks)
        service = house.deploy(house.model("memory:ready"), instances=2)
        await lives.until_status(service, "running")
        lives.house.update(service, entry(house.model("memory:slow", version="2.0.0"), 2))
        await lives.until_status(service, "running")
        await lives.until_only(service, "memory:slow", 2)
        lives.house.turn(service, "stopped")
        await lives.until_status(service, "stopped")
        lives.house.turn(service, "running")
        await lives.until_status(service, "running")
        assert len(house.world.applied) == 6
        first = ["start to deploy service", *phases("1.0.0"), "service started"]
        then = ["updating service", *phases("2.0.0"), "service updated", "stopping service", "service stopped"]
        last = ["start to deploy service", *phases("2.0.0"), "service started"]
        assert Counter(lives.house.events(service)) == Counter([*first, *then, *last])
        lives.house.services.delete(ANYONE, (service,))
        await lives.until_status(service, "gone")
        assert lives.house.seen == [
            *("deploying", "running", "deploying", "running"),
            *("stopping", "stopped", "deploying", "running", "deleting", "gone"),
        ]
        assert (lives.house.running(), lives.house.caller.table.routes) == ([], {})
        await lives.house.close()

    run(test())


def test_a_restarted_platform_goes_on_routing_at_once_and_shows_no_change(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        before, events = house.view(service), house.events(service)
        number = house.caller.table.number
        life = house
        for _ in range(3):
            life = await life.again()
            await life.step()
            assert life.caller.targets(service) == life.running()
            assert life.view(service) == before
        assert life.events(service) == events
        assert len(life.world.applied) == 2
        assert life.caller.table.number > number
        await life.close()

    run(test())


def test_a_replica_that_died_while_the_platform_was_away_is_started_again(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        victim, survivor = house.running()
        house.world.kill(victim)
        life = await house.again()
        await life.step()
        assert life.caller.targets(service) == [survivor]
        await life.until_status(service, "running")
        assert life.running() == [victim, survivor]
        await life.close()

    run(test())


def test_no_replica_is_stopped_before_a_gateway_known_from_before_was_heard_again(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        [name] = house.running()
        house.caller.in_flight = {name: 1}
        await house.step()
        house.turn(service, "stopped")
        life = await house.again()
        gateway = life.caller
        life.caller = type(gateway)(life.gateways)
        for _ in range(4):
            await life.step(seconds=2)
        assert life.running() == [name]
        gateway.in_flight = {}
        await gateway.report()
        await life.until_status(service, "stopped")
        await life.close()

    run(test())


def test_a_database_that_is_locked_costs_no_traffic_and_the_loop_goes_on_when_it_is_free(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        running = asyncio.ensure_future(house.reconciler.run())
        with locked(house.db):
            house.reconciler.wake(service)
            victim, survivor = house.running()
            house.world.kill(victim)
            with pytest.raises(Unavailable):
                await house.reconciler.look()
            await house.caller.report()
            assert survivor in house.caller.targets(service)
        async with asyncio.timeout(20):
            while house.running() != [victim, survivor] or house.status(service) != "running":
                await asyncio.sleep(0.02)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await house.close()

    run(test())
