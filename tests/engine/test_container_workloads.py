"""What containers have of their own, beside what every engine promises (promises/test_engine.py)."""

import asyncio
import contextlib
import functools
import os
import socket
import threading
import time
import uuid

import pytest

from mooring.engine import container_network
from mooring.engine.container_spec import Place, container_name, creation
from mooring.engine.container_workloads import ContainerEngine
from mooring.engine.probe import Outcome
from mooring.engine.workload import Probe, State, Workload
from mooring.errors import Conflict, Invalid, NotFound, Refused, Unavailable

pytestmark = pytest.mark.engine
SOON = 60.0
HEALTH = Probe(url="/health")


def in_a_loop(test):
    """Run an async test, and do not wait for it for ever."""

    @functools.wraps(test)
    def run(*words, **named):
        asyncio.run(asyncio.wait_for(test(*words, **named), 120))

    return run


async def until(condition):
    """What the condition, asked again and again, first says that is true."""
    deadline = time.monotonic() + SOON
    while not (found := await condition()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return found


async def comes(containers, name, state):
    """How it is seen once it is in that state."""

    async def there():
        seen = (await containers.observe()).get(name)
        return seen if seen and seen.state is state else None

    return await until(there)


async def answers(containers, name):
    async def well():
        return (await containers.ask(name, HEALTH)).ok

    await until(well)


@contextlib.asynccontextmanager
async def opened(platform_id=""):
    """A platform's containers, none of which is left."""
    containers = ContainerEngine(platform_id or f"test-{uuid.uuid4().hex[:12]}")
    try:
        yield containers
    finally:
        await asyncio.gather(*(containers.remove(name, grace_seconds=0) for name in await containers.observe()))
        await containers.close()


@pytest.fixture(scope="module")
def image(double):
    return double("keeps_the_contract")


def shell(image, script, **more):
    return Workload(**{"name": "one", "image": image, "command": ("/bin/sh", "-c", script), **more})


def inspected(engine, containers, name="one"):
    return engine.api.inspect_container(container_name(containers.platform_id, name))


class TestMaking:
    @in_a_loop
    async def test_it_is_held_to_its_limits_and_may_do_nothing_special(self, engine, image):
        async with opened() as containers:
            limits = {"cpu_cores": 0.5, "memory_bytes": 256 << 20, "stop_seconds": 12.5}
            await containers.apply(Workload(name="one", image=image, labels={"a": "b"}, **limits))
            await answers(containers, "one")
            told = inspected(engine, containers)
            host = told["HostConfig"]
            assert host["NanoCpus"] == 500_000_000
            assert host["Memory"] == host["MemorySwap"] == 256 << 20
            assert host["PidsLimit"] == 4096
            assert host["CapDrop"] == ["ALL"]
            assert "no-new-privileges" in host["SecurityOpt"]
            assert host["RestartPolicy"]["Name"] in {"", "no"}
            assert host["LogConfig"]["Config"] == {"max-size": str(10 << 20), "max-file": "2"}
            assert told["Config"]["Hostname"] == "one"
            assert told["Config"]["StopTimeout"] == 13
            assert told["Config"]["Labels"]["a"] == "b"
            (network,) = engine.api.networks(names=[host["NetworkMode"]])
            assert network["Options"]["com.docker.network.bridge.enable_icc"] == "false"
            assert not network["Internal"]
            status = await containers.ask("one", Probe(command="grep -E '^(CapEff|NoNewPrivs)' /proc/self/status"))
            assert status.body.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]
            platform_id = containers.platform_id
        assert not engine.api.networks(names=[platform_id])

    @in_a_loop
    async def test_more_processors_than_there_are_is_all_of_them(self, image):
        async with opened() as containers:
            await containers.apply(Workload(name="one", image=image, cpu_cores=1000))
            await comes(containers, "one", State.RUNNING)
            assert (await containers.measure())["one"].cpu_cores_limit == 1000

    @in_a_loop
    async def test_where_its_network_is_not_seen_it_is_published_on_the_loopback(self, image, tmp_path, monkeypatch):
        routes = tmp_path / "route"
        routes.write_text("Iface\tDestination\n")
        monkeypatch.setattr(container_network, "ROUTES", routes)
        async with opened() as containers:
            await containers.apply(Workload(name="one", image=image))
            await answers(containers, "one")
            assert (await containers.observe())["one"].url.startswith("http://127.0.0.1:")

    @in_a_loop
    async def test_what_was_made_and_never_started_is_started(self, engine, image):
        workload = shell(image, "echo begun; exec sleep 60")
        async with opened() as containers:
            place = Place(containers.platform_id, "none", published=False, processors=1)
            arguments = creation(workload, place)
            options = engine.api.create_host_config(**arguments.pop("host_config"))
            made = engine.api.create_container(**arguments, host_config=options)["Id"]
            assert (await containers.observe())["one"].state is State.STARTING
            await containers.apply(workload)
            told = inspected(engine, containers)
            assert (told["Id"], told["State"]["Running"]) == (made, True)

    @in_a_loop
    async def test_two_platforms_who_make_the_same_at_once_start_it_once(self, image):
        async with opened() as containers, contextlib.AsyncExitStack() as others:
            more = [await others.enter_async_context(opened(containers.platform_id)) for _ in range(3)]
            workload = shell(image, "echo begun")
            await asyncio.gather(*(one.apply(workload) for one in (containers, *more)))
            await comes(containers, "one", State.EXITED)
            assert [line.text async for line in containers.logs("one")] == ["begun"]

    @in_a_loop
    async def test_projects_and_nothing_at_all_are_refused(self, image):
        async with opened() as containers:
            with pytest.raises(Refused, match="images"):
                await containers.apply(Workload(name="one", project="/somewhere"))
            with pytest.raises(Invalid, match="no image"):
                await containers.apply(Workload(name="one"))
            with pytest.raises(NotFound, match="no image") as refused:
                await containers.apply(Workload(name="one", image=f"{image}x"))
            assert image in refused.value.hint


class TestOthers:
    @in_a_loop
    async def test_a_stranger_with_its_name_is_left_alone(self, engine, image):
        async with opened() as containers:
            name = container_name(containers.platform_id, "one")
            theirs = engine.api.create_container(image, name=name)["Id"]
            try:
                with pytest.raises(Conflict, match=name):
                    await containers.apply(Workload(name="one", image=image))
                await containers.remove("one", grace_seconds=0)
                assert await containers.observe() == {}
                assert engine.api.inspect_container(theirs)
            finally:
                engine.remove(theirs)

    @in_a_loop
    async def test_a_stranger_with_its_labels_is_not_seen(self, engine, image):
        async with opened() as containers:
            arguments = creation(
                Workload(name="one", image=image), Place(containers.platform_id, "none", published=False, processors=1)
            )
            theirs = engine.api.create_container(image, labels=arguments["labels"])["Id"]
            try:
                assert await containers.observe() == {}
                await containers.remove("one", grace_seconds=0)
                assert engine.api.inspect_container(theirs)
            finally:
                engine.remove(theirs)


class TestEnding:
    @in_a_loop
    async def test_no_such_command_is_told_in_the_words_of_the_engine(self, image):
        async with opened() as containers:
            await containers.apply(Workload(name="one", image=image, command=("no-such-program",)))
            seen = (await containers.observe())["one"]
            assert (seen.state, seen.exit_code) == (State.EXITED, 127)
            assert "no-such-program" in seen.why
            assert seen.started_at is None
            assert "no-such-program" in await containers.diagnose("one")
            assert [line async for line in containers.logs("one", follow=True)] == []

    @in_a_loop
    async def test_out_of_memory_is_told(self, image):
        async with opened() as containers:
            hog = ("python3", "-c", "x = [bytes(1 << 20) * 16 for _ in range(100)]; y = [bytearray(one) for one in x]")
            await containers.apply(Workload(name="one", image=image, command=hog, memory_bytes=64 << 20))
            seen = await comes(containers, "one", State.EXITED)
            assert seen.why == "out of memory: it used more than its limit of 64 MiB"
            assert "out-of-memory" in await containers.diagnose("one")

    @in_a_loop
    async def test_signals_have_names(self, engine, image):
        async with opened() as containers:
            await containers.apply(shell(image, "exec sleep 60"))
            await comes(containers, "one", State.RUNNING)
            engine.api.kill(container_name(containers.platform_id, "one"))
            seen = await comes(containers, "one", State.EXITED)
            assert seen.why == "SIGKILL (exit code 137)"

    @in_a_loop
    async def test_one_that_somebody_starts_again_is_seen_anew(self, engine, image):
        async with opened() as containers:
            await containers.apply(shell(image, "sleep 1; exit 4"))
            first = await comes(containers, "one", State.EXITED)
            engine.api.start(container_name(containers.platform_id, "one"))
            assert (await comes(containers, "one", State.RUNNING)).started_at > first.started_at


class TestAsking:
    @in_a_loop
    async def test_commands_run_inside(self, image):
        async with opened() as containers:
            await containers.apply(shell(image, "exec sleep 60"))
            await comes(containers, "one", State.RUNNING)
            assert (await containers.ask("one", Probe(command="test -e /double.py"))).ok
            failed = await containers.ask("one", Probe(command="echo not yet; exit 3"))
            assert (failed.ok, failed.body) == (False, "exit code 3: not yet")
            assert (
                await containers.ask("one", Probe(command="sleep 30", timeout_seconds=0.5))
            ).outcome is Outcome.SILENT

    @in_a_loop
    async def test_a_server_that_only_the_container_reaches_is_found_out(self, image):
        async with opened() as containers:
            script = "exec python3 -u -m http.server --bind 127.0.0.1 8080"
            await containers.apply(shell(image, script))
            inside = Probe(command="python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 8080))'")

            async def listens():
                return (await containers.ask("one", inside)).ok

            await until(listens)
            assert (await containers.ask("one", HEALTH)).outcome in {Outcome.REFUSED, Outcome.CLOSED}
            assert "127.0.0.1:8080" in await containers.diagnose("one")


class TestLogs:
    @in_a_loop
    async def test_long_lines_strange_bytes_and_last_words_come_whole(self, image):
        script = r"""
import sys
sys.stdout.buffer.write(b"x" * 100_000 + b"y\n" + b"\xff\xfe umlaut \xc3\xa4\r\n\n")
sys.stdout.buffer.flush()
sys.stderr.write("no end")
"""
        async with opened() as containers:
            await containers.apply(Workload(name="one", image=image, command=("python3", "-c", script)))
            await comes(containers, "one", State.EXITED)
            lines = [line async for line in containers.logs("one")]
            assert [line.text for line in lines if line.stream == "stdout"] == [
                "x" * 100_000 + "y",
                "\ufffd\ufffd umlaut ä",
                "",
            ]
            assert [line.text for line in lines if line.stream == "stderr"] == ["no end"]
            assert len({line.time for line in lines}) == 4

    @in_a_loop
    async def test_many_who_follow_do_not_keep_others_from_the_engine(self, image):
        async with opened() as containers:
            await containers.apply(shell(image, "echo begun; exec sleep 60"))
            following = [asyncio.create_task(first(containers.logs("one", follow=True))) for _ in range(40)]
            assert [line.text for line in await asyncio.gather(*following)] == ["begun"] * 40
            await asyncio.wait_for(containers.observe(), 5)
            begun = threading.active_count()

            async def let_go():
                return threading.active_count() <= begun

            await until(let_go)


async def first(lines):
    async with contextlib.aclosing(lines):
        return await anext(lines)


class Door:
    """A socket that leads to the engine's as long as it is open."""

    def __init__(self, path, engine):
        self.path = str(path)
        self._engine = engine.address.url.removeprefix("unix://")
        self._ends = []
        self.open()

    def open(self):
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(self.path)
        self._listening.listen(128)
        threading.Thread(target=self._serve, args=(self._listening,), daemon=True).start()

    def shut(self):
        os.unlink(self.path)
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def cut(self):
        """Break what goes through it now."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._ends.clear()

    def _serve(self, listening):
        with contextlib.suppress(OSError):
            while True:
                ours, _ = listening.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self._engine)
                self._ends += ours, theirs
                threading.Thread(target=self._pass_on, args=(ours, theirs), daemon=True).start()

    @staticmethod
    def _pass_on(ours, theirs):
        there = threading.Thread(target=_copy, args=(ours, theirs), daemon=True)
        there.start()
        _copy(theirs, ours)
        there.join()
        ours.close()
        theirs.close()


def _copy(one, other):
    with contextlib.suppress(OSError):
        while piece := one.recv(1 << 16):
            other.sendall(piece)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def door(engine, tmp_path, monkeypatch):
    """The door through which engines are reached that are opened now."""
    made = Door(tmp_path / "engine.sock", engine)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{made.path}")
    yield made
    with contextlib.suppress(OSError):
        made.shut()


class TestAway:
    @in_a_loop
    async def test_an_engine_that_is_away_tells_nothing_until_it_is_back(self, door, image):
        async with opened() as containers:
            await containers.apply(Workload(name="one", image=image))
            await answers(containers, "one")
            door.shut()
            workload = Workload(name="two", image=image)
            for calling in (
                containers.observe(),
                containers.apply(workload),
                containers.remove("one", grace_seconds=1),
                containers.ask("one", HEALTH),
                containers.measure(),
                containers.diagnose("one"),
                first(containers.logs("one")),
            ):
                with pytest.raises(Unavailable):
                    await calling
            door.open()
            assert (await containers.observe())["one"].state is State.RUNNING

    @in_a_loop
    async def test_an_engine_may_come_later(self, door):
        door.shut()
        async with opened() as containers:
            with pytest.raises(Unavailable):
                await containers.observe()
            door.open()
            assert await containers.observe() == {}

    @in_a_loop
    async def test_an_engine_that_hangs_is_waited_for_only_so_long(self, tmp_path, monkeypatch):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "hung.sock"))
            listening.listen()
            monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/hung.sock")
            containers = ContainerEngine("test-hung", call_seconds=0.5)
            began = time.monotonic()
            with pytest.raises(Unavailable, match=r"0\.5 s"):
                await containers.observe()
            assert time.monotonic() - began < 30
        await containers.close()

    @in_a_loop
    async def test_followed_logs_go_on_after_a_broken_connection(self, door, image):
        async with opened() as containers:
            script = "for n in 1 2 3 4 5 6 7 8; do echo line $n; sleep 0.4; done"
            await containers.apply(shell(image, script))
            told = []
            async for line in containers.logs("one", follow=True):
                told.append(line.text)
                if len(told) == 3:
                    door.cut()
            assert told == [f"line {number}" for number in range(1, 9)]
