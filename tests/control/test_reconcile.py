import asyncio

import pytest
from control.house import House, JumpingClock

from mooring.engine.memory import MemoryWorld


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
    asyncio.run(asyncio.wait_for(test, 60))


def test_a_deployed_service_goes_from_deploying_to_running_and_is_routed(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.step()
        view = house.view(service)
        assert house.seen == ["deploying", "running"]
        assert (view.progress, view.error_msg) == (100, "")
        assert house.caller.targets(service) == house.running()
        assert len(house.running()) == 2
        assert house.results(service) == [(1, "SUCCESS")]
        await house.close()

    run(test())


def test_the_story_of_a_deployment_has_the_five_phases_once_each(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        assert house.events(service) == [
            "start to deploy service",
            "building image for model [digits 1.0.0]",
            "model (digits 1.0.0) build image success",
            "preparing environment",
            "[digits 1.0.0] prepare environment success",
            "[digits 1.0.0] schedule resource success",
            "[digits 1.0.0] pulling model image",
            "[digits 1.0.0] pull image success",
            "[digits 1.0.0] starting model",
            "service started",
        ]
        await house.close()

    run(test())
