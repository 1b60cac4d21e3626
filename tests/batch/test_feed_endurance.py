"""Jobs that go on while storage goes away, and jobs so long that nothing of them may stay in memory."""

import asyncio
import tracemalloc
import uuid

import boto3
import pytest
from doubles.instances import instance
from doubles.replicas import answer
from moto.server import ThreadedMotoServer

from mooring.batch.asking import Patience
from mooring.batch.feed import Feed
from mooring.batch.instances import Instances
from mooring.batch.item import Item, Outcome
from mooring.batch.listing import items_of, write_manifest
from mooring.batch.manifest import ManifestForm
from mooring.batch.naming import ResultNames
from mooring.contract import edition
from mooring.errors import Unavailable
from mooring.storage import Places, StorageSettings, parse

MADE_UP = {"access_key": "made-up", "secret_key": "made-up-secret"}


class Endpoint:
    """A real endpoint that can go away and come back where it was; what it holds stays."""

    def __init__(self):
        self.port = 0
        self.start()

    def start(self):
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    def stop(self):
        self._server.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def endpoint():
    running = Endpoint()
    yield running
    running.stop()


@pytest.fixture
def bucket(endpoint):
    client = boto3.client(
        "s3",
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id=MADE_UP["access_key"],
        aws_secret_access_key=MADE_UP["secret_key"],
    )
    name = f"b-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)
    return name


def test_storage_that_goes_away_and_comes_back_costs_no_item(job, endpoint, bucket):
    job.places = Places(StorageSettings(endpoint=endpoint.url, **MADE_UP))
    job.input = job.places.place(parse(f"obs://{bucket}/in/"))
    job.output = job.places.place(parse(f"obs://{bucket}/out/"))
    job.source = f"obs://{bucket}/in/"

    async def story():
        await job.give(**{f"{index:04}": b"%d" % index for index in range(150)})
        async with instance() as one, job.fed([one.url], patience=Patience(stranded_seconds=60)) as task:
            for least in (20, 60):
                while len(job.journal) < least:
                    await asyncio.sleep(0.005)
                await asyncio.to_thread(endpoint.stop)
                while not job.feed.tally.waiting_for:
                    await asyncio.sleep(0.01)
                await asyncio.to_thread(endpoint.start)
            await asyncio.wait_for(task, 120)
        return [entry.name async for entry in job.output.list()]

    results = asyncio.run(story())
    assert job.failed == {}
    assert results == [f"infer-result/{index:04}_result.txt" for index in range(150)]
    assert sorted(one.item.index for one in job.journal) == list(range(150))


def test_storage_that_does_not_come_back_ends_the_job_and_blames_no_item(job, endpoint, bucket):
    job.output = Places(StorageSettings(endpoint=endpoint.url, **MADE_UP)).place(parse(f"obs://{bucket}/out/"))

    async def story():
        await job.give(a=b"1", b=b"2")
        await asyncio.to_thread(endpoint.stop)
        async with instance() as one:
            with pytest.raises(Unavailable, match="does not answer"):
                await job.run([one.url], patience=Patience(stranded_seconds=1))
        await asyncio.to_thread(endpoint.start)

    asyncio.run(story())
    assert job.journal == []


class Nothing:
    """Work that is done at once."""

    async def do(self, item, count):
        await asyncio.sleep(0)
        count(1, 0)
        return Outcome(item, ok=True)

    async def settle(self):
        pass


def grown_bytes(run, counts):
    """What the memory peaks at, for each count."""
    peaks = []
    for count in counts:
        tracemalloc.start()
        asyncio.run(run(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return peaks


async def made(count):
    for index in range(count):
        name = f"{index}.png"
        yield Item(index, f"obs://inbox/{name}", name, f"infer-result/{name}_result.txt", 1)


def test_ten_times_as_many_items_take_no_more_memory():
    async def run(count):
        async def note(outcomes):
            await asyncio.sleep(0)

        tally = await Feed(Nothing(), Instances(["http://127.0.0.1:9"])).run(made(count), note)
        assert tally.items == count

    few, many = grown_bytes(run, (2_000, 20_000))
    assert many < 1.5 * few + 100_000


class Sink:
    """Storage that counts what is written, and forgets it."""

    address = parse("obs://outbox/run7/")

    def __init__(self):
        self.sizes = {}

    async def write(self, name, content):
        self.sizes[name] = sum([len(chunk) async for chunk in content])

    async def settle(self):
        pass


def test_a_list_of_results_ten_times_as_long_takes_no_more_memory():
    async def run(count):
        async def outcomes():
            async for item in made(count):
                yield Outcome(item, ok=True)

        sink = Sink()
        await write_manifest(sink, outcomes(), ManifestForm.of(edition("otc-2025"), "T"), part_bytes=1_000_000)
        assert sum(sink.sizes.values()) > 100 * count

    few, many = grown_bytes(run, (2_000, 20_000))
    assert many < 1.5 * few + 100_000


def test_a_manifest_ten_times_as_long_takes_no_more_memory():
    class Listed:
        """Places with one manifest that nobody holds."""

        def __init__(self, count):
            self.count = count

        def open(self, _):
            return self

        async def __aenter__(self):
            self.chunks = self.made()
            return self

        async def __aexit__(self, *_):
            pass

        async def made(self):
            for index in range(self.count):
                yield b'{"source":"obs://inbox/%d/a.png"}\n' % index

    async def run(count):
        names = ResultNames(edition("otc-2025"))
        found = 0
        async for _ in items_of(Listed(count), parse("obs://inbox/in.manifest"), names):
            found += 1
        assert found == count

    few, many = grown_bytes(run, (2_000, 20_000))
    assert many < 1.5 * few + 100_000


def test_a_table_ten_times_as_long_takes_no_more_memory(job):
    async def forget(told, name, body):
        for held in (told.bodies, told.heads, told.names):
            held.clear()
        return answer(b"{}")

    async def run(count):
        table = b"".join(b"%d,1,%s\n" % (index, b"x" * 1000) for index in range(count))
        await job.input.write("t.csv", table)
        async with instance(forget) as one:
            tracemalloc.reset_peak()
            tally = await job.run([one.url], tables=True, each=2)
        assert tally.requests == count

    few, many = grown_bytes(run, (500, 5_000))
    # The input itself is in memory here.
    assert many - 5_000 * 1_010 < 1.5 * few
