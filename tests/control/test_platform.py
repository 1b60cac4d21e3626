import asyncio
import os
import stat
import time

import pytest
from control.house import entry

from mooring.control.clock import Clock
from mooring.control.platform import Platform
from mooring.control.tables import Model
from mooring.control.wishes import ServiceWish
from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.errors import Conflict
from mooring.gateway.table import Principal

PATIENCE_SECONDS = 60


@pytest.fixture
def world():
    with MemoryWorld() as made:
        yield made


@pytest.fixture
def opened(settings, world):
    def opened():
        return Platform.open(settings, clock=Clock(), engine=lambda _, platform_id: MemoryEngine(platform_id, world))

    return opened


def run(test):
    asyncio.run(asyncio.wait_for(test, 60))


async def until(done):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not await asyncio.to_thread(done):
        assert time.monotonic() < deadline, "it was still not so"
        await asyncio.sleep(0.02)


def add_model(platform, project_id):
    with platform.db.begin() as session:
        model = Model(id="m" * 36, project_id=project_id, owner="admin", model_name="digits", model_version="1.0.0")
        model.model_type, model.status, model.image = "Image", "published", "memory:ready"
        for name in ("description", "error_msg", "source_location", "image_digest", "initial_config"):
            setattr(model, name, "")
        model.workspace_id, model.source_copy, model.size_bytes = "0", False, 0
        model.request, model.created_at, model.updated_at = {}, 1, 1
        session.add(model)
    return model.id


def deploy(platform):
    [project] = platform.keys.projects()
    principal = Principal(project_id=project.id, user_name="admin", key_id="k")
    wish = ServiceWish(
        service_name="mnist", infer_type="real-time", config=(entry(add_model(platform, project.id), 2),)
    )
    return principal, platform.services.create(principal, wish)


def test_the_first_start_makes_a_token_once_and_keeps_it_for_its_user_alone(opened, settings):
    async def test():
        async with await opened() as platform:
            first = platform.first_token
        async with await opened() as platform:
            assert platform.first_token is None
        file = settings.data / "token"
        assert file.read_text().strip() == first.secret
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600

    run(test())


def test_a_second_platform_on_the_same_database_is_told_who_has_it(opened):
    async def test():
        async with await opened():
            with pytest.raises(Conflict, match="the platform of process"):
                await opened()
        async with await opened():
            pass

    run(test())


def test_a_platform_that_goes_down_leaves_replicas_running_and_the_next_one_adopts_them(opened, world):
    async def test():
        async with await opened() as platform:
            running = asyncio.ensure_future(platform.run())
            principal, service = await asyncio.to_thread(deploy, platform)
            await until(lambda: platform.services.get(principal, service).status == "running")
            table = await platform.gateways.table(after=0)
            targets = {target.replica for share in table.routes[service].shares for target in share.targets}
            before = platform.services.get(principal, service)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert targets == {name for _, name in world.replicas}
        async with await opened() as platform:
            running = asyncio.ensure_future(platform.run())
            adopted = await asyncio.wait_for(platform.gateways.table(after=table.number), PATIENCE_SECONDS)
            assert adopted.routes == table.routes
            assert platform.services.get(principal, service) == before
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert sorted(world.applied) == sorted(targets)

    run(test())


def test_a_key_that_is_made_or_revoked_is_in_the_gateways_table_at_once(opened):
    async def test():
        async with await opened() as platform:
            platform.gateways.publish({})
            [project] = platform.keys.projects()
            known = await platform.gateways.table(after=0)
            made = await asyncio.to_thread(platform.keys.create_token, project.id, "bob")
            with_bob = await platform.gateways.table(after=known.number)
            assert len(with_bob.callers.tokens) == len(known.callers.tokens) + 1
            await asyncio.to_thread(platform.keys.revoke, project.id, made.key.id)
            without = await platform.gateways.table(after=with_bob.number)
            assert without.callers.tokens == known.callers.tokens

    run(test())
