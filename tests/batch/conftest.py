import asyncio
import contextlib

import pytest

from mooring.batch.asking import Asker, Patience
from mooring.batch.feed import Feed
from mooring.batch.instances import Instances
from mooring.batch.listing import items_of
from mooring.batch.mapping import Mapping, rule_for
from mooring.batch.naming import ResultNames
from mooring.batch.requests import FileRequests, Inputs, RowRequests
from mooring.batch.spool import Spools
from mooring.batch.work import FileWork, RowWork
from mooring.contract import edition
from mooring.storage import Places, parse

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "x": {"type": "number"}, "who": {"type": "string"}},
}
HASTY = Patience(request_seconds=5, backoff_seconds=0.01, backoff_limit_seconds=0.05, stranded_seconds=5)


class Job:
    """A job over what lies in memory, and all that came of it."""

    def __init__(self, folder):
        self.spools = Spools(folder)
        self.places = Places()
        self.input = self.places.place(parse("memory:in"))
        self.output = self.places.place(parse("memory:out"))
        self.source = "memory:in"
        self.journal = []
        self.feed = None
        self.instances = None

    async def give(self, **files):
        for name, data in files.items():
            await self.input.write(name, data)

    @contextlib.asynccontextmanager
    async def fed(self, urls, *, tables=False, each=4, limit=None, **options):
        patience = options.setdefault("patience", HASTY)
        note = options.pop("note", self.note)
        self.instances = Instances(urls, each=each)
        asker = Asker(self.instances, "/classify", patience)
        inputs = Inputs(self.places, limit)
        if tables:
            requests = RowRequests(inputs, Mapping(rule_for(SCHEMA)))
            work = RowWork(asker, requests, self.output, lambda: self.instances.capacity, self.spools)
        else:
            work = FileWork(asker, FileRequests(inputs, "images"), self.output)
        self.feed = Feed(work, self.instances, **options)
        items = items_of(self.places, parse(self.source), ResultNames(edition("otc-2024")), tables=tables)
        try:
            yield asyncio.create_task(self.feed.run(items, note))
        finally:
            asker.close()

    async def run(self, urls, **options):
        async with self.fed(urls, **options) as task:
            return await asyncio.wait_for(task, 60)

    async def note(self, outcomes):
        self.journal.extend(outcomes)

    @property
    def results(self):
        return {
            name.removeprefix("out/infer-result/"): data
            for name, data in self.output.held.items()
            if name.startswith("out/")
        }

    @property
    def failed(self):
        return {one.item.name: one.error for one in self.journal if not one.ok}


@pytest.fixture
def job(tmp_path):
    return Job(tmp_path / "spools")
