import asyncio
import json
from datetime import UTC, datetime

import pytest

from mooring.control.log_file import LogFile, Reading
from mooring.control.replica_logs import Followed, ReplicaLogs
from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.engine.workload import LogLine, Workload

PATIENCE_SECONDS = 60


@pytest.fixture
def engine():
    with MemoryWorld() as world:
        yield MemoryEngine("platform-1", world)


@pytest.fixture
def logs(engine, tmp_path):
    return ReplicaLogs(engine, tmp_path / "logs", most_bytes=100_000)


def run(test):
    asyncio.run(asyncio.wait_for(test, 30))


async def texts(logs, **query):
    return [line["text"] async for line in logs.read("s", **query)]


async def until_texts(logs, wanted, **query):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (found := await texts(logs, **query)) != wanted:
            await asyncio.sleep(0.01)
    return found


def write(engine, name, text):
    engine.world.replica(name).write(text)


def test_what_a_replica_wrote_is_there_when_it_is_gone(engine, logs):
    async def test():
        await engine.apply(Workload(name="a", image="memory:logs=3"))
        logs.keep({"a": Followed("s", 1)})
        await until_texts(logs, ["line 1", "line 2", "line 3"])
        write(engine, "a", "last words")
        await engine.remove("a", grace_seconds=1)
        logs.keep({})
        await until_texts(logs, ["line 1", "line 2", "line 3", "last words"])
        lines = [line async for line in logs.read("s")]
        assert [line["stream"] for line in lines[:3]] == ["stdout", "stderr", "stdout"]
        assert {line["replica"] for line in lines} == {"a"}
        await logs.close()

    run(test())


def test_a_restarted_platform_goes_on_where_the_last_line_was(engine, logs, tmp_path):
    async def test():
        await engine.apply(Workload(name="a", image="memory:logs=3"))
        logs.keep({"a": Followed("s", 1)})
        await until_texts(logs, ["line 1", "line 2", "line 3"])
        await logs.close()
        write(engine, "a", "meanwhile")
        file = tmp_path / "logs" / "s" / "a.jsonl"
        file.write_bytes(file.read_bytes() + b'{"time": "2026-01-01T00:00:0')
        after = ReplicaLogs(engine, tmp_path / "logs", most_bytes=100_000)
        after.keep({"a": Followed("s", 1)})
        await until_texts(after, ["line 1", "line 2", "line 3", "meanwhile"])
        assert all(json.loads(line) for line in file.read_text().splitlines())
        await after.close()

    run(test())


def test_a_replica_that_is_started_again_goes_on_in_the_same_file(engine, logs):
    async def test():
        await engine.apply(Workload(name="a", image="memory:logs=2"))
        logs.keep({"a": Followed("s", 1)})
        await until_texts(logs, ["line 1", "line 2"])
        await engine.remove("a", grace_seconds=1)
        await engine.apply(Workload(name="a", image="memory:logs=1"))
        logs.keep({"a": Followed("s", 2)})
        await until_texts(logs, ["line 1", "line 2", "line 1"])
        await logs.close()

    run(test())


def test_a_file_never_grows_beyond_what_it_may_and_keeps_the_newest(engine, tmp_path):
    async def test():
        logs = ReplicaLogs(engine, tmp_path / "logs", most_bytes=2_000)
        await engine.apply(Workload(name="a", image="memory:logs=200"))
        logs.keep({"a": Followed("s", 1)})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "line 200" not in (found := await texts(logs)):
                await asyncio.sleep(0.01)
        assert found == [f"line {number}" for number in range(201 - len(found), 201)]
        assert sum(path.stat().st_size for path in (tmp_path / "logs" / "s").iterdir()) <= 2_000
        await logs.close()

    run(test())


def test_lines_are_read_by_replica_by_time_and_the_last_few(engine, logs):
    async def test():
        for name in ("a", "b"):
            await engine.apply(Workload(name=name, image="memory:logs=2"))
            await asyncio.sleep(0.01)
        logs.keep({name: Followed("s", 1) for name in ("a", "b")})
        await until_texts(logs, ["line 1", "line 2"] * 2)
        assert [line["replica"] async for line in logs.read("s")] == ["a", "a", "b", "b"]
        assert await texts(logs, replica="b") == ["line 1", "line 2"]
        assert await texts(logs, tail=3) == ["line 2", "line 1", "line 2"]
        assert await texts(logs, replica="../s/b") == []
        since = int(engine.world.replica("b").lines[0].time.timestamp() * 1000) - 1
        assert [line["replica"] async for line in logs.read("s", since_ms=since)] == ["b", "b"]
        await logs.close()

    run(test())


def test_who_follows_has_every_line_once_across_the_change_of_files_until_the_service_is_removed(engine, tmp_path):
    async def test():
        logs = ReplicaLogs(engine, tmp_path / "logs", most_bytes=3_000)
        await engine.apply(Workload(name="a", image="memory:logs=1"))
        logs.keep({"a": Followed("s", 1)})
        await until_texts(logs, ["line 1"])
        found = []

        async def follow():
            async for line in logs.read("s", follow=True):
                found.append(line["text"])  # noqa: PERF401 - looked at while it grows

        following = asyncio.ensure_future(follow())
        for number in range(2, 61):
            write(engine, "a", f"line {number}")
            if number % 5 == 0:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while len(found) < number:
                        await asyncio.sleep(0.005)
        assert found == [f"line {number}" for number in range(1, 61)]
        await logs.remove("s")
        await asyncio.wait_for(following, PATIENCE_SECONDS)
        assert not (tmp_path / "logs" / "s").exists()
        await logs.close()

    run(test())


def test_an_engine_that_is_away_is_asked_again(engine, tmp_path):
    async def test():
        async def soon(_seconds):
            await asyncio.sleep(0.01)

        logs = ReplicaLogs(engine, tmp_path / "logs", most_bytes=100_000, sleep=soon)
        await engine.apply(Workload(name="a", image="memory:logs=1"))
        engine.world.reachable = False
        logs.keep({"a": Followed("s", 1)})
        await asyncio.sleep(0.05)
        engine.world.reachable = True
        await until_texts(logs, ["line 1"])
        await logs.close()

    run(test())


class NearlyFull:
    """A file on a disk with room for a few bytes more."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        return self.file.write(data[: self.room])


class Chatterbox:
    """An engine whose replica has always more to say."""

    async def logs(self, _name, *, since=None, follow=False):
        while True:
            yield LogLine(time=datetime.now(UTC), stream="stdout", text="and another thing")


def test_files_that_go_while_old_ones_are_looked_for_are_passed_over(engine, logs, tmp_path):
    folder = tmp_path / "logs" / "s"
    folder.mkdir(parents=True)
    (folder / "gone.jsonl").symlink_to("nothing")
    (folder / "old.jsonl").write_text("")
    logs.prune(before_ms=2**60, keep=frozenset())
    assert not (folder / "old.jsonl").exists()


def test_a_replica_that_never_stops_writing_leaves_the_loop_to_others(tmp_path):
    logs = ReplicaLogs(Chatterbox(), tmp_path / "logs", most_bytes=100_000)

    async def test():
        logs.keep({"a": Followed("s", 1)})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await texts(logs)) < 300:
                await asyncio.sleep(0)
        await logs.close()

    run(test())


def test_a_disk_that_is_full_costs_lines_and_nothing_else(tmp_path):
    file = LogFile(tmp_path, "a", most_bytes=100_000)
    file.write(LogLine(datetime.now(UTC), "stdout", "before"))
    disk = file._file
    file._file = NearlyFull(disk, 10)
    file.write(LogLine(datetime.now(UTC), "stdout", "lost"))
    file._file = disk
    file.write(LogLine(datetime.now(UTC), "stdout", "after"))
    file.close()
    reading = Reading(tmp_path, "a")
    assert [line["text"] for line in reading.lines()] == ["before", "after"]
    reading.close()
