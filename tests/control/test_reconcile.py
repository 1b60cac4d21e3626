import asyncio

import pytest
from control.house import ANYONE, House, JumpingClock, entry

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


def test_a_model_that_never_becomes_ready_fails_the_service_and_says_why(house):
    async def test():
        service = house.deploy(house.model("memory:never-ready"))
        await house.until_status(service, "failed", seconds=2)
        view = house.view(service)
        assert house.seen == ["deploying", "failed"]
        assert view.error_msg == "[digits 1.0.0] GET /health: 503 the model is loading"
        assert house.results(service) == [(1, "FAIL")]
        assert house.events(service, abnormal=True) == [f"deploy service failed: {view.error_msg}"]
        await house.rest(service)
        assert (house.running(), house.rows(service)) == ([], [])
        await house.close()

    run(test())


def test_a_model_that_ends_at_once_is_tried_three_times_more_and_then_fails_the_service(house):
    async def test():
        service = house.deploy(house.model("memory:exits=3"))
        await house.until_status(service, "failed", seconds=1)
        assert house.view(service).error_msg == "[digits 1.0.0] it has ended: exit code 3"
        assert len(house.world.applied) == 4
        await house.close()

    run(test())


def test_an_image_that_is_gone_fails_the_service_and_is_named(house):
    async def test():
        service = house.deploy(house.model("memory:missing"))
        await house.until_status(service, "failed", seconds=1)
        assert "there is no image" in house.view(service).error_msg or "has no image" in house.view(service).error_msg
        await house.close()

    run(test())


def test_a_deployment_that_takes_too_long_fails_when_its_time_is_over(house):
    async def test():
        slow = {"health": {"url": "/health", "initial_delay_seconds": "36000"}}
        model = house.model("memory:never-ready", config=slow)
        service = house.deploy(model, deploy_timeout_in_seconds=180)
        await house.step(seconds=170)
        await house.step()
        assert house.status(service) == "deploying"
        await house.step(seconds=11)
        await house.until_status(service, "failed")
        assert house.view(service).error_msg.startswith("deployment timed out: [digits 1.0.0] GET /health: 503")
        await house.close()

    run(test())


def test_a_replica_that_dies_is_started_again_and_the_service_is_concerning_meanwhile(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        house.seen.clear()
        victim, survivor = house.running()
        house.world.kill(victim)
        await house.until_status(service, "concerning")
        assert house.caller.targets(service) == [survivor]
        await house.until_status(service, "running")
        assert house.seen == ["concerning", "running"]
        assert house.running() == sorted([victim, survivor])
        assert "SIGKILL" in house.events(service, abnormal=True)[0]
        assert house.events(service)[-1] == "all instances are ready again"
        await house.close()

    run(test())


def test_a_replica_that_dies_again_and_again_is_given_longer_and_longer_pauses(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        [name] = house.running()
        for pause in (0, 10, 20):
            house.world.kill(name)
            await house.until_status(service, "concerning")
            started = len(house.world.applied)
            if pause:
                await house.step(seconds=pause - 1)
                await house.step()
                assert len(house.world.applied) == started
                house.clock.jump(1)
            await house.until_status(service, "running")
        await house.close()

    run(test())


def test_a_replica_that_stops_answering_loses_its_calls_and_gets_them_back(house):
    async def test():
        quick = {"health": {"url": "/health", "period_seconds": "1", "failure_threshold": "2"}}
        service = house.deploy(house.model("memory:ready", config=quick), instances=2)
        await house.until_status(service, "running")
        victim = house.running()[0]
        replica = house.world.replica(victim)
        replica._ready = False
        await house.until_status(service, "concerning", seconds=1)
        assert victim not in house.caller.targets(service)
        replica._ready = True
        await house.until_status(service, "running", seconds=1)
        await house.step()
        assert house.caller.targets(service) == house.running()
        assert len(house.world.applied) == 2
        await house.close()

    run(test())


def test_an_upgrade_moves_traffic_when_the_new_version_is_ready_and_lets_calls_in_flight_end(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        old = house.running()
        house.caller.in_flight = dict.fromkeys(old, 1)
        house.seen.clear()
        house.update(service, entry(house.model("memory:slow", version="2.0.0"), 2))
        await house.until_status(service, "running")
        assert house.seen == ["deploying", "running"]
        await house.step()
        assert set(house.caller.images(service, house)) == {"memory:slow"}
        for _ in range(5):
            await house.step(seconds=1)
        assert set(old) < set(house.running())
        house.caller.in_flight = {}
        await house.rest(service)
        assert not set(old) & set(house.running())
        assert house.results(service) == [(1, "SUCCESS"), (2, "SUCCESS")]
        assert [row.model_id for row in house.rows(service)] == [house.view(service).config[0]["model_id"]] * 2
        await house.close()

    run(test())


def test_at_no_moment_of_an_upgrade_are_fewer_replicas_routed_than_wanted(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=3)
        await house.until_status(service, "running")
        await house.step()
        least, most = [], []
        house.update(service, entry(house.model("memory:slow", version="2.0.0"), 3))

        def arrived():
            least.append(len(house.caller.targets(service)))
            most.append(len(house.rows(service)))
            return service in house.reconciler._rests

        await house.until(arrived)
        assert min(least) >= 3
        await house.close()

    run(test())


def test_a_failed_upgrade_leaves_the_old_version_serving_and_the_story_says_so(house):
    async def test():
        first = house.model("memory:ready")
        service = house.deploy(first, instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        old = house.running()
        house.seen.clear()
        house.update(service, entry(house.model("memory:never-ready", version="2.0.0"), 2))
        await house.until_status(service, "running", seconds=2)
        await house.rest(service)
        why = "[digits 2.0.0] GET /health: 503 the model is loading"
        assert house.seen == ["deploying", "running"]
        assert house.results(service) == [(1, "SUCCESS"), (2, "FAIL")]
        assert house.events(service, abnormal=True) == [f"update failed, rolling back: {why}"]
        assert house.events(service)[-1] == "rolled back"
        assert house.view(service).error_msg == ""
        assert house.view(service).config[0]["model_id"] == first
        assert house.running() == old == house.caller.targets(service)
        await house.close()

    run(test())


def test_after_a_failed_upgrade_another_one_can_be_tried(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        house.update(service, entry(house.model("memory:exits", version="2.0.0")))
        await house.until(lambda: house.events(service)[-1] == "rolled back", seconds=1)
        house.update(service, entry(house.model("memory:slow", version="3.0.0")))
        await house.until_status(service, "running")
        await house.rest(service)
        assert house.results(service) == [(1, "SUCCESS"), (2, "FAIL"), (3, "SUCCESS")]
        assert set(house.caller.images(service, house)) == {"memory:slow"}
        await house.close()

    run(test())


def test_scaling_down_drains_the_highest_and_keeps_the_rest(house):
    async def test():
        model = house.model("memory:ready")
        service = house.deploy(model, instances=3)
        await house.until_status(service, "running")
        before = house.running()
        house.update(service, entry(model, 1))
        await house.rest(service)
        assert house.running() == before[:1]
        assert len(house.world.applied) == 3
        await house.close()

    run(test())


def test_a_replica_that_does_not_fall_silent_is_stopped_when_its_time_is_over(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        [name] = house.running()
        house.caller.in_flight = {name: 1}
        house.turn(service, "stopped")
        for _ in range(6):
            await house.step(seconds=9)
        assert (house.running(), house.status(service)) == ([name], "stopping")
        await house.until_status(service, "stopped", seconds=9)
        assert house.running() == []
        await house.close()

    run(test())


def test_a_gateway_that_is_silent_for_ten_seconds_is_not_waited_for(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        lost = type(house.caller)(house.gateways)
        lost.in_flight = dict.fromkeys(house.running(), 1)
        await lost.report()
        house.turn(service, "stopped")
        for _ in range(3):
            await house.step(seconds=1)
        assert house.status(service) == "stopping"
        await house.until_status(service, "stopped", seconds=3)
        await house.close()

    run(test())


def test_a_service_is_stopped_started_and_deleted(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        house.turn(service, "stopped")
        await house.until_status(service, "stopped")
        await house.step()
        assert (house.running(), house.caller.targets(service)) == ([], [])
        assert house.caller.route(service).status == "stopped"
        house.turn(service, "running")
        await house.until_status(service, "running")
        house.services.delete(ANYONE, (service,))
        await house.until_status(service, "gone")
        await house.step()
        assert house.seen == ["deploying", "running", "stopping", "stopped", "deploying", "running", "deleting", "gone"]
        assert house.running() == []
        assert service not in house.caller.table.routes
        await house.until(lambda: not (house.settings.data / "logs" / service).exists())
        await house.close()

    run(test())


def test_a_failed_service_can_be_started_again(house):
    async def test():
        service = house.deploy(house.model("memory:exits"))
        await house.until_status(service, "failed", seconds=1)
        await house.rest(service)
        house.turn(service, "running")
        assert house.status(service) == "deploying"
        await house.until_status(service, "failed", seconds=1)
        await house.close()

    run(test())


def test_a_schedule_stops_the_service_when_its_time_has_come(house):
    async def test():
        hour = {"type": "stop", "time_unit": "HOURS", "duration": 1}
        service = house.deploy(house.model("memory:ready"), schedule=(hour,))
        await house.until_status(service, "running")
        await house.rest(service)
        await house.step(seconds=3500)
        assert house.status(service) == "running"
        await house.step(seconds=100)
        await house.until_status(service, "stopped")
        assert "service is stopped by auto-stop" in house.events(service)
        assert house.view(service).due_at is None
        await house.close()

    run(test())


def test_what_runs_for_this_platform_and_belongs_to_no_service_is_removed(house):
    async def test():
        from mooring.engine.memory import MemoryEngine
        from mooring.engine.workload import Workload

        await house.engine.apply(Workload(name="left-over", image="memory:ready"))
        other = MemoryEngine("platform-2", house.world)
        await other.apply(Workload(name="not-ours", image="memory:ready"))
        await house.until(lambda: house.running() == ["not-ours"])
        await house.close()

    run(test())


def test_nothing_is_concluded_while_the_engine_does_not_answer(house):
    async def test():
        from mooring.errors import Unavailable

        service = house.deploy(house.model("memory:ready"), instances=2)
        await house.until_status(service, "running")
        await house.rest(service)
        house.world.reachable = False
        for _ in range(3):
            with pytest.raises(Unavailable):
                await house.step(seconds=30)
        await house.caller.report()
        assert (house.status(service), len(house.caller.targets(service))) == ("running", 2)
        house.world.reachable = True
        house.seen.clear()
        await house.rest(service)
        assert house.status(service) == "running"
        assert len(house.world.applied) == 2
        await house.close()

    run(test())


def test_an_upgrade_that_fails_half_way_brings_back_what_it_had_replaced_and_never_serves_with_less(house):
    async def test():
        service = house.deploy(house.model("memory:ready"), instances=3)
        await house.until_status(service, "running")
        await house.rest(service)
        before, least = house.running(), []
        house.update(service, entry(house.model("memory:slow", version="2.0.0"), 3))

        def half_way():
            least.append(len(house.caller.targets(service)))
            return not set(before) <= set(house.running())

        def failed():
            least.append(len(house.caller.targets(service)))
            new = [name for name in house.running() if name not in before]
            for name in new[1:]:
                house.world.kill(name)
            return house.results(service)[-1] == (2, "FAIL")

        def back():
            least.append(len(house.caller.targets(service)))
            return house.status(service) == "running" and house.running() == before

        await house.until(half_way)
        await house.until(failed, seconds=1)
        await house.until(back, seconds=1)
        await house.step()
        assert house.caller.targets(service) == before
        # One that is killed is missed for as long as it takes to see it; never is more than one.
        assert min(least) >= 2
        assert house.events(service)[-1] == "rolled back"
        await house.close()

    run(test())


def test_models_share_the_traffic_by_their_weights(house):
    async def test():
        service = house.deploy(house.model("memory:ready"))
        await house.until_status(service, "running")
        models = house.model("memory:ready", version="2.0.0"), house.model("memory:slow", version="3.0.0")
        house.update(service, entry(models[0], 2, weight=90), entry(models[1], 1, weight=10))
        await house.rest(service)
        await house.step()
        shares = house.caller.route(service).shares
        assert {(share.model_version, share.weight, len(share.targets)) for share in shares} == {
            ("2.0.0", 90, 2),
            ("3.0.0", 10, 1),
        }
        await house.close()

    run(test())


def test_other_variables_make_another_replica_and_another_size_of_the_update_does_not(house):
    async def test():
        model = house.model("memory:ready")
        service = house.deploy(model, envs={"LEVEL": "info"})
        await house.until_status(service, "running")
        [first] = house.running()
        house.update(service, entry(model, 1, envs={"LEVEL": "info"}, max_surge=0.5))
        await house.rest(service)
        assert house.running() == [first]
        house.update(service, entry(model, 1, envs={"LEVEL": "debug"}))
        await house.rest(service)
        [second] = house.running()
        assert second != first
        assert house.world.replica(second).workload.env["LEVEL"] == "debug"
        assert house.world.replica(second).workload.cpu_cores == 0.5
        await house.close()

    run(test())


def test_the_story_has_what_was_seen_in_one_line_and_the_error_all_that_is_known(house):
    async def test():
        async def diagnose(name):
            return "seen: the server listens on 127.0.0.1\nexpected: 0.0.0.0\ndo next: bind all addresses"

        house.engine.diagnose = diagnose
        service = house.deploy(house.model("memory:never-ready"))
        await house.until_status(service, "failed", seconds=2)
        assert house.view(service).error_msg.endswith("expected: 0.0.0.0\ndo next: bind all addresses")
        assert house.events(service, abnormal=True) == [
            "deploy service failed: [digits 1.0.0] the server listens on 127.0.0.1"
        ]
        await house.close()

    run(test())
