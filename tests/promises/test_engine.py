"""What every engine promises, wherever its workloads live. An engine joins by adding one fixture to `PLACES`.

A place opens engines for platforms by their ids, any number of them over the same workloads, and makes workloads that
behave and misbehave. All of a platform's workloads are removed when its test ends.
"""

import asyncio
import contextlib
import functools
import sys
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from mooring.engine.container_workloads import ContainerEngine
from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.engine.probe import Outcome
from mooring.engine.process import ProcessEngine
from mooring.engine.workload import Probe, State, Workload
from mooring.errors import Invalid, NotFound

HEALTH = Probe(url="/health", timeout_seconds=1.0)
# How long a machine with other things to do may take for what is done at once.
SOON = 40.0


class MemoryPlace:
    """Workloads in this process."""

    def __init__(self):
        self.world = MemoryWorld()

    def open(self, platform_id):
        return MemoryEngine(platform_id, self.world)

    def close(self):
        self.world.close()

    def missing(self, name):
        """There is no such image or project."""
        return Workload(name=name, image="memory:missing")

    def answers(self, name, **more):
        """GET /health is 200, GET /elsewhere is some HTTP answer; ends well within a second after SIGTERM."""
        return Workload(name=name, image="memory:ready", **more)

    def never_answers(self, name):
        """Runs, and there is nothing to connect to."""
        return Workload(name=name, image="memory:deaf")

    def listens_but_never_answers(self, name):
        """Takes connections, and says nothing on them."""
        return Workload(name=name, image="memory:silent")

    def exits(self, name, code):
        """Ends at once with that code."""
        return Workload(name=name, image=f"memory:exits={code}")

    def ignores_sigterm(self, name):
        """As `answers`, and goes on whatever SIGTERM says."""
        return Workload(name=name, image="memory:ignores-sigterm")

    def logs(self, name, lines):
        """Writes `line 1` to `line N`, odd ones to standard output, even ones to standard error; then as `answers`."""
        return Workload(name=name, image=f"memory:logs={lines}")


@pytest.fixture
def memory_place():
    """The memory engine's."""
    place = MemoryPlace()
    yield place
    place.close()


# What a project's server may be like, in as few lines as there are ways to be.
SERVER = """
import http.server, os, signal, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass

kind, *words = sys.argv[1:]
if kind == "exits":
    print("ending with", words[0])
    sys.exit(int(words[0]))
for number in range(1, int(words[0]) + 1 if kind == "logs" else 0):
    print("line", number, file=sys.stdout if number % 2 else sys.stderr, flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN if kind == "ignores-sigterm" else lambda *_: sys.exit(0))
if kind == "never-answers":
    time.sleep(600)
address = os.environ["MOORING_HOST"], int(os.environ["MOORING_PORT"])
server = http.server.ThreadingHTTPServer(address, Handler)
if kind == "silent":
    time.sleep(600)
server.serve_forever()
"""


class ProcessPlace:
    """Workloads in processes of this machine."""

    def __init__(self, folder):
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "server.py").write_text(SERVER)

    def open(self, platform_id):
        return ProcessEngine(platform_id, self.folder / "replicas")

    def missing(self, name):
        return self._workload(name, "answers", project=str(self.folder / "nowhere"))

    def answers(self, name, **more):
        return self._workload(name, "answers", **more)

    def never_answers(self, name):
        return self._workload(name, "never-answers")

    def listens_but_never_answers(self, name):
        return self._workload(name, "silent")

    def exits(self, name, code):
        return self._workload(name, "exits", code)

    def ignores_sigterm(self, name):
        return self._workload(name, "ignores-sigterm")

    def logs(self, name, lines):
        return self._workload(name, "logs", lines)

    def _workload(self, name, *words, **more):
        command = (sys.executable, "-S", "server.py", *map(str, words))
        return Workload(**{"name": name, "project": str(self.project), "command": command, **more})


@pytest.fixture
def process_place(tmp_path):
    """The process engine's."""
    return ProcessPlace(tmp_path)


class ContainerPlace:
    """Workloads in containers."""

    def __init__(self, image):
        self.image = image

    def open(self, platform_id):
        return ContainerEngine(platform_id)

    def missing(self, name):
        return self._workload(name, "answers", image="mooring-test:nobody-made-this")

    def answers(self, name, **more):
        return self._workload(name, "answers", **more)

    def never_answers(self, name):
        return self._workload(name, "never-answers")

    def listens_but_never_answers(self, name):
        return self._workload(name, "silent")

    def exits(self, name, code):
        return self._workload(name, "exits", code)

    def ignores_sigterm(self, name):
        return self._workload(name, "ignores-sigterm")

    def logs(self, name, lines):
        return self._workload(name, "logs", lines)

    def _workload(self, name, *words, **more):
        command = ("python3", "-S", "/server.py", *map(str, words))
        env = {"MOORING_HOST": "0.0.0.0", "MOORING_PORT": "8080"}
        return Workload(**{"name": name, "image": self.image, "command": command, "env": env, **more})


@pytest.fixture(scope="session")
def container_image(double):
    """An image with the server in it."""
    return double("keeps_the_contract", files={"/server.py": SERVER.encode()})


@pytest.fixture
def container_place(container_image):
    """The docker engine's."""
    return ContainerPlace(container_image)


PLACES = ["memory_place", "process_place", pytest.param("container_place", marks=pytest.mark.engine)]


@pytest.fixture(params=PLACES)
def place(request):
    """One place after the other."""
    return request.getfixturevalue(request.param)


def in_a_loop(test):
    """Run an async test, and do not wait for it for ever."""

    @functools.wraps(test)
    def run(*words, **named):
        asyncio.run(asyncio.wait_for(test(*words, **named), 120))

    return run


@contextlib.asynccontextmanager
async def opened(place):
    """An engine of a new platform, of which nothing is left afterwards."""
    platform_id = f"test-{uuid.uuid4().hex[:12]}"
    engine, broom = place.open(platform_id), place.open(platform_id)
    try:
        yield engine
    finally:
        await engine.close()
        await asyncio.gather(*(broom.remove(name, grace_seconds=0) for name in await broom.observe()))
        assert await broom.observe() == {}
        await broom.close()


async def until(condition, *, seconds=SOON):
    """What the condition, asked again and again, first says that is true."""
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s"
        await asyncio.sleep(0.02)
    return found


async def answering(engine, name):
    """Wait until it is well; how it is seen then."""

    async def well():
        return (await engine.ask(name, HEALTH)).ok

    await until(well)
    return (await engine.observe())[name]


async def ended(engine, name):
    """Wait until it has ended; how it is seen then."""

    async def over():
        seen = (await engine.observe())[name]
        return seen if seen.state is State.EXITED else None

    return await until(over)


async def read(lines):
    return [line async for line in lines]


class TestEngine:
    @in_a_loop
    async def test_what_was_applied_runs_where_its_url_says_and_answers(self, place):
        async with opened(place) as engine:
            before = datetime.now(UTC) - timedelta(seconds=1)
            await engine.apply(place.answers("one", labels={"service": "s", "revision": "3"}))
            seen = await answering(engine, "one")
            assert seen.state is State.RUNNING
            assert seen.name == "one"
            assert seen.labels == {"service": "s", "revision": "3"}
            assert before <= seen.started_at <= datetime.now(UTC) + timedelta(seconds=1)
            assert seen.exit_code is None
            host, port = seen.url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()
            await writer.wait_closed()

    @in_a_loop
    async def test_applying_twice_changes_nothing(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one"))
            first = await answering(engine, "one")
            await engine.apply(place.answers("one", labels={"other": "labels"}))
            assert await engine.observe() == {"one": first}

    @in_a_loop
    async def test_many_who_apply_at_once_make_one(self, place):
        async with opened(place) as engine:
            other = place.open(engine.platform_id)
            workload = place.logs("one", 1)
            await asyncio.gather(*(one.apply(workload) for one in (engine, other) * 4))
            await answering(engine, "one")
            assert list(await engine.observe()) == ["one"]
            written = [line.text for line in await read(engine.logs("one"))]
            assert written.count("line 1") == 1
            await other.close()

    @in_a_loop
    async def test_what_has_ended_stays_as_it_is_until_it_is_removed(self, place):
        async with opened(place) as engine:
            await engine.apply(place.exits("one", 3))
            first = await ended(engine, "one")
            await engine.apply(place.exits("one", 3))
            assert (await engine.observe())["one"] == first
            await engine.remove("one", grace_seconds=5)
            await engine.apply(place.answers("one"))
            assert (await answering(engine, "one")).state is State.RUNNING

    @in_a_loop
    async def test_what_was_removed_is_gone_and_removing_again_is_fine(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one"))
            await answering(engine, "one")
            await engine.remove("one", grace_seconds=10)
            assert await engine.observe() == {}
            await engine.remove("one", grace_seconds=10)
            await engine.remove("never-was", grace_seconds=10)
            await engine.apply(place.answers("one"))
            await answering(engine, "one")

    @in_a_loop
    async def test_what_is_well_ends_before_its_grace_is_over(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one"))
            await answering(engine, "one")
            began = time.monotonic()
            await engine.remove("one", grace_seconds=60)
            assert time.monotonic() - began < SOON

    @in_a_loop
    async def test_what_ignores_sigterm_serves_through_its_grace_and_is_killed_then(self, place):
        async with opened(place) as engine:
            await engine.apply(place.ignores_sigterm("one"))
            await answering(engine, "one")
            began = time.monotonic()
            removing = asyncio.create_task(engine.remove("one", grace_seconds=1.5))

            async def stopping():
                return (await engine.observe())["one"].state is State.STOPPING

            await until(stopping, seconds=1.2)
            assert (await engine.observe())["one"].url
            assert (await engine.ask("one", HEALTH)).ok
            await removing
            assert 1.4 <= time.monotonic() - began < SOON
            assert await engine.observe() == {}

    @in_a_loop
    async def test_a_new_engine_finds_what_another_started(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one", labels={"service": "s"}))
            first = await answering(engine, "one")
            again = place.open(engine.platform_id)
            assert await again.observe() == {"one": first}
            assert (await again.ask("one", HEALTH)).ok
            await again.apply(place.answers("one"))
            await again.remove("one", grace_seconds=5)
            assert await again.observe() == {}
            await again.close()

    @in_a_loop
    async def test_platforms_do_not_see_or_touch_each_others_workloads(self, place):
        async with opened(place) as ours, opened(place) as theirs:
            await ours.apply(place.logs("same", 1))
            await answering(ours, "same")
            assert await theirs.observe() == {}
            assert await theirs.measure() == {}
            with pytest.raises(NotFound):
                await theirs.ask("same", HEALTH)
            with pytest.raises(NotFound):
                await read(theirs.logs("same"))
            await theirs.remove("same", grace_seconds=0)
            await theirs.apply(place.exits("same", 4))
            assert (await ended(theirs, "same")).exit_code == 4
            assert (await ours.observe())["same"].state is State.RUNNING

    @in_a_loop
    async def test_readiness_is_an_answer_and_not_a_connection(self, place):
        async with opened(place) as engine:
            await engine.apply(place.listens_but_never_answers("one"))

            async def silent():
                probe = Probe(url="/health", timeout_seconds=0.3)
                return (await engine.ask("one", probe)).outcome is Outcome.SILENT

            await until(silent)
            answer = await engine.ask("one", Probe(timeout_seconds=0.3))
            assert not answer.ok
            assert answer.detail

    @in_a_loop
    async def test_where_nothing_listens_the_answer_is_no_and_says_so(self, place):
        async with opened(place) as engine:
            await engine.apply(place.never_answers("one"))

            async def running():
                return (await engine.observe())["one"].state is State.RUNNING

            await until(running)
            answer = await engine.ask("one", HEALTH)
            assert not answer.ok
            assert answer.outcome in {Outcome.REFUSED, Outcome.CLOSED}
            assert await engine.diagnose("one")

    @in_a_loop
    async def test_without_a_health_check_any_answer_will_do(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one"))
            await answering(engine, "one")
            assert (await engine.ask("one", Probe())).ok
            assert await engine.diagnose("one") == ""

    @in_a_loop
    async def test_what_ended_is_seen_with_its_code_and_a_reason(self, place):
        async with opened(place) as engine:
            await engine.apply(place.exits("bad", 3))
            await engine.apply(place.exits("good", 0))
            bad, good = await ended(engine, "bad"), await ended(engine, "good")
            assert (bad.exit_code, good.exit_code) == (3, 0)
            assert "3" in bad.why
            assert "\n" not in bad.why
            assert bad.url == ""
            assert "3" in await engine.diagnose("bad")
            answer = await engine.ask("bad", HEALTH)
            assert answer.outcome is Outcome.REFUSED
            assert "3" in answer.detail
            assert await engine.measure() == {}

    @in_a_loop
    async def test_logs_come_in_order_each_from_its_stream(self, place):
        async with opened(place) as engine:
            await engine.apply(place.logs("one", 40))
            await answering(engine, "one")

            async def all_there():
                lines = [line for line in await read(engine.logs("one")) if line.text.startswith("line ")]
                return lines if len(lines) == 40 else None

            lines = await until(all_there)
            odd = [line.text for line in lines if line.stream == "stdout"]
            even = [line.text for line in lines if line.stream == "stderr"]
            assert odd == [f"line {number}" for number in range(1, 41, 2)]
            assert even == [f"line {number}" for number in range(2, 41, 2)]
            assert [line.time for line in lines] == sorted(line.time for line in lines)
            assert all(abs(datetime.now(UTC) - line.time) < timedelta(minutes=2) for line in lines)

    @in_a_loop
    async def test_logs_go_on_where_a_reader_left_off_without_loss_or_repetition(self, place):
        async with opened(place) as engine:
            await engine.apply(place.logs("one", 40))
            await answering(engine, "one")
            whole = await read(engine.logs("one"))
            for at in (0, 7, len(whole) - 1):
                assert await read(engine.logs("one", since=whole[at].time)) == whole[at + 1 :]

    @in_a_loop
    async def test_followed_logs_end_with_the_workload(self, place):
        async with opened(place) as engine:
            await engine.apply(place.logs("one", 10))
            following = asyncio.create_task(read(engine.logs("one", follow=True)))
            await answering(engine, "one")
            assert not following.done()
            await engine.remove("one", grace_seconds=5)
            written = Counter(line.text for line in await asyncio.wait_for(following, SOON))
            assert all(written[f"line {number}"] == 1 for number in range(1, 11))

    @in_a_loop
    async def test_followed_logs_of_what_has_ended_end_at_once(self, place):
        async with opened(place) as engine:
            await engine.apply(place.exits("one", 2))
            await ended(engine, "one")
            assert await asyncio.wait_for(read(engine.logs("one", follow=True)), SOON) is not None

    @in_a_loop
    async def test_what_runs_is_measured_against_its_limits(self, place):
        async with opened(place) as engine:
            await engine.apply(place.answers("one", memory_bytes=512 << 20, cpu_cores=0.5))
            await answering(engine, "one")
            usage = (await engine.measure())["one"]
            assert 0 <= usage.cpu_cores < 64
            assert 1 << 20 <= usage.memory_bytes <= 512 << 20
            assert usage.memory_bytes_limit == 512 << 20

    @in_a_loop
    async def test_an_unknown_name_is_not_found(self, place):
        async with opened(place) as engine:
            for name in ("nobody", "../nobody", ""):
                with pytest.raises(NotFound):
                    await engine.ask(name, HEALTH)
                with pytest.raises(NotFound):
                    await read(engine.logs(name))
                with pytest.raises(NotFound):
                    await engine.diagnose(name)
                await engine.remove(name, grace_seconds=0)

    @in_a_loop
    async def test_what_does_not_exist_cannot_be_applied_and_leaves_nothing(self, place):
        async with opened(place) as engine:
            with pytest.raises(NotFound):
                await engine.apply(place.missing("one"))
            assert await engine.observe() == {}

    @pytest.mark.parametrize("name", ["", "../up", "a/b", "a.b", "Big", "-a", "a-", "a" * 64, "a\n", "ä"])
    @in_a_loop
    async def test_a_name_that_is_no_label_is_refused(self, place, name):
        async with opened(place) as engine:
            with pytest.raises(Invalid):
                await engine.apply(place.answers(name))
            assert await engine.observe() == {}
