import asyncio
import json
import time

import pytest

from mooring.contract import edition
from mooring.control.health import Kind
from mooring.control.probing import Prober, Subject, questions_of
from mooring.control.world import Condition
from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.engine.process import ProcessEngine
from mooring.engine.workload import Workload
from mooring.project.serving import served

OTC_2022, OTC_2024 = edition("otc-2022"), edition("otc-2024")


@pytest.fixture
def engine():
    with MemoryWorld() as world:
        yield MemoryEngine("platform-1", world)


class JumpingClock:
    def __init__(self):
        self.ahead_ms = 0

    def __call__(self):
        return time.time_ns() // 1_000_000 + self.ahead_ms


@pytest.fixture
def clock():
    return JumpingClock()


async def moment(_seconds):
    await asyncio.sleep(0.002)


def run(test):
    asyncio.run(asyncio.wait_for(test, 30))


def test_what_config_json_leaves_out_the_contract_says():
    [(kind, question)] = questions_of({"health": {"url": "/well"}}, OTC_2022).items()
    check = question.check
    assert (kind, question.probe.url, question.probe.command) == (Kind.HEALTH, "/well", "")
    assert (check.delay_seconds, check.period_seconds, check.failure_threshold) == (12, 5, 12)


def test_what_config_json_says_counts_and_numbers_come_as_text():
    told = {"url": "/well", "initial_delay_seconds": "0", "timeout_seconds": "7", "period_seconds": "2"}
    question = questions_of({"health": {**told, "failure_threshold": "3"}}, OTC_2022)[Kind.HEALTH]
    assert question.probe.timeout_seconds == 7
    assert (question.check.delay_seconds, question.check.period_seconds) == (0, 2)
    assert question.check.failure_threshold == 3


def test_a_command_is_asked_where_one_is_declared():
    told = {"check_method": "EXEC", "command": "cat /tmp/well", "url": "/health"}
    probe = questions_of({"health": told}, OTC_2022)[Kind.HEALTH].probe
    assert (probe.command, probe.url) == ("cat /tmp/well", "")


def test_without_a_health_check_the_edition_decides_whether_any_answer_will_do():
    assert questions_of(None, OTC_2022)[Kind.HEALTH].probe.url == "/health"
    assert questions_of({}, OTC_2024)[Kind.HEALTH].probe.url == ""


def test_startup_and_readiness_probes_are_asked_for_what_they_are():
    config = {"startup_health": {"url": "/up"}, "readiness_health": {"url": "/ready"}, "health": {"url": "/live"}}
    found = {kind: question.probe.url for kind, question in questions_of(config, OTC_2022).items()}
    assert found == {Kind.STARTUP: "/up", Kind.READINESS: "/ready", Kind.HEALTH: "/live"}


class Asking:
    """One replica under questions, on a clock that jumps."""

    def __init__(self, engine, clock, health, *, was_ready=False):
        self.engine, self.clock, self.changes = engine, clock, []
        self.prober = Prober(engine, now_ms=clock, on_change=self.changes.append, eager_seconds=0.05, sleep=moment)
        now = clock()
        self.subject = Subject(
            questions=questions_of({"health": health}, OTC_2022),
            started_at_ms=now,
            was_ready_at_ms=now if was_ready else None,
        )

    async def begin(self, image):
        await self.engine.apply(Workload(name="a", image=image))
        self.prober.keep({"a": self.subject})

    async def until(self, condition, *, jump_ms=0):
        async with asyncio.timeout(20):
            while self.prober.condition("a") is not condition:
                self.clock.ahead_ms += jump_ms
                await asyncio.sleep(0.01)

    def questions(self):
        return self.engine.world.replica("a").health_questions


def test_a_replica_is_ready_as_soon_as_it_answers_however_long_it_may_take(engine, clock):
    async def test():
        asking = Asking(engine, clock, {"url": "/health", "initial_delay_seconds": "3600"})
        await asking.begin("memory:ready-after-0.2")
        assert asking.prober.condition("a") is Condition.STARTING
        await asking.until(Condition.READY)
        assert asking.changes == ["a"]
        await asking.prober.close()

    run(test())


def test_failures_before_the_delay_do_not_count_and_after_it_they_do(engine, clock):
    async def test():
        told = {"initial_delay_seconds": "100", "period_seconds": "10", "failure_threshold": "3"}
        asking = Asking(engine, clock, {"url": "/health", **told})
        await asking.begin("memory:never-ready")
        async with asyncio.timeout(20):
            while asking.questions() < 10:
                await asyncio.sleep(0.01)
        assert asking.prober.condition("a") is Condition.STARTING
        clock.ahead_ms += 100_000
        await asking.until(Condition.REFUSED, jump_ms=1_000)
        assert clock.ahead_ms >= 120_000
        await asking.prober.close()

    run(test())


CANNOT_LOAD = """
from mooring_serve import Handler

class Model(Handler):
    def setup(self, model_dir):
        raise FileNotFoundError("no weights today")

    def predict(self, text):
        return {}
"""


def test_a_model_that_says_again_and_again_that_it_cannot_be_loaded_is_not_waited_for(tmp_path, clock):
    project = tmp_path / "weightless"
    (project / "model").mkdir(parents=True)
    (project / "handler.py").write_text(CANNOT_LOAD)
    body = {"Content-type": "application/json", "data": {"type": "object", "properties": {"text": {"type": "string"}}}}
    api = {"protocol": "http", "url": "/", "method": "post", "request": body, "response": body}
    config = {"model_algorithm": "none", "model_type": "Image", "apis": [api]}
    (project / "config.json").write_text(json.dumps(config))

    async def test():
        engine = ProcessEngine("platform-1", tmp_path / "replicas")
        asking = Asking(engine, clock, {"url": "/health", "initial_delay_seconds": "3600"})
        try:
            await engine.apply(served(Workload(name="a", project=str(project)), OTC_2022))
            asking.prober.keep({"a": asking.subject})
            await asking.until(Condition.REFUSED)
        finally:
            await asking.prober.close()
            await engine.remove("a", grace_seconds=0)
            await engine.close()

    run(test())


def test_one_that_was_ready_is_taken_for_ready_until_it_fails_often_enough(engine, clock):
    async def test():
        told = {"period_seconds": "1", "failure_threshold": "2"}
        asking = Asking(engine, clock, {"url": "/health", **told}, was_ready=True)
        await asking.begin("memory:never-ready")
        assert asking.prober.condition("a") is Condition.READY
        await asking.until(Condition.FAILING, jump_ms=200)
        await asking.prober.close()

    run(test())


def test_an_engine_that_is_away_says_nothing_against_a_replica(engine, clock):
    async def test():
        told = {"period_seconds": "1", "failure_threshold": "1"}
        asking = Asking(engine, clock, {"url": "/health", **told}, was_ready=True)
        await asking.begin("memory:ready")
        engine.world.reachable = False
        for _ in range(20):
            clock.ahead_ms += 1_000
            await asyncio.sleep(0.005)
        assert asking.prober.condition("a") is Condition.READY
        engine.world.reachable = True
        await asking.prober.close()

    run(test())


def test_nothing_is_known_of_another_process_of_the_same_name(engine, clock):
    async def test():
        asking = Asking(engine, clock, {"url": "/health"})
        await asking.begin("memory:ready")
        await asking.until(Condition.READY)
        later = Subject(questions=asking.subject.questions, started_at_ms=clock() + 1)
        asking.prober.keep({"a": later})
        assert asking.prober.condition("a") is Condition.STARTING
        await asking.until(Condition.READY)
        asking.prober.keep({})
        assert asking.prober.condition("a") is None
        await asking.prober.close()

    run(test())
