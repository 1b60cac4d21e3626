"""A house with batch services: jobs beside the reconciler, an input folder, an output folder, and what is in it."""

import asyncio
import json

from control.house import ANYONE, House, _moment

from mooring.batch.asking import Patience
from mooring.contract import edition
from mooring.control.clock import Clock
from mooring.control.job_places import JobPlaces
from mooring.control.job_rows import JobRows
from mooring.control.job_run import JobGround
from mooring.control.jobs import Jobs
from mooring.control.tasks import ItemQuery
from mooring.control.wishes import ServiceEntry, ServiceWish

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
RULE = {"type": "object", "properties": {"n": {"type": "integer", "index": 0}}}


def config(kind="file"):
    """The config.json of a model that takes a file, or JSON."""
    data = {"type": "object", "properties": {"image": {"type": "file"}}} if kind == "file" else SCHEMA
    content = "multipart/form-data" if kind == "file" else "application/json"
    answer = {"Content-type": "application/json", "data": {"type": "object", "properties": {}}}
    api = {"url": "/predict", "method": "POST", "request": {"Content-type": content, "data": data}, "response": answer}
    return {"model_algorithm": "digits", "model_type": "Image", "apis": [api]}


class Works(House):
    """A house in which jobs are done, on the edition whose list of results says the most."""

    def __init__(self, db, settings, world, clock):
        super().__init__(db, settings, world, clock)
        self.folder = settings.data.parent
        self.rows = JobRows(db, self.story, clock)
        ground = JobGround(
            rows=self.rows,
            places=JobPlaces(settings.storage, settings.data),
            edition=edition(settings.edition),
            clock=Clock(clock, _moment),
            patience=Patience(request_seconds=5, backoff_seconds=0.02, stranded_seconds=20),
            spools=settings.data / "batch",
        )
        self.jobs = Jobs(ground, resync_seconds=0.1)
        self.reconciler.on_targets, self.jobs.on_wish = self.jobs.see, self.reconciler.wake

    async def again(self):
        """As the house's: but what is in hand in a job is not even written down."""
        for task in list(self.jobs._working.values()):
            task.cancel()
        await self.jobs.close()
        await self.reconciler._prober.close()
        await self.logs.close()
        self.reconciler._doings._done = lambda _: None
        next_life = Works(self.db, self.settings, self.world, self.clock)
        next_life.caller, next_life.seen = self.caller, self.seen
        next_life.caller.gateways = next_life.gateways
        return next_life

    async def close(self):
        await self.jobs.close()
        await super().close()

    async def step(self, *, seconds=0.0):
        await self.jobs.look()
        await super().step(seconds=seconds)

    def fill(self, count, *, text="input {number}", suffix=".txt"):
        source = self.folder / "in"
        for number in range(count):
            file = source / f"{number % 7}" / f"{number:05}{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.format(number=number))
        return source

    def batch(self, image="memory:digest", *, kind="file", instances=1, name="nightly", **more):
        fields = {
            "src_path": f"file://{self.folder}/in/",
            "dest_path": f"file://{self.folder}/out/",
            "req_uri": "/predict",
            "mapping_type": kind,
            **({"mapping_rule": RULE} if kind == "csv" else {}),
            **more,
        }
        model = self.model(image, name=f"m-{name}", config=config(kind))
        entry = ServiceEntry(model_id=model, specification="local.cpu.half", instance_count=instances, extra=fields)
        return self.services.create(ANYONE, ServiceWish(service_name=name, infer_type="batch", config=(entry,)))

    async def until_over(self, service, status="finished", *, seconds=0.0):
        await self.until_status(service, status, seconds=seconds)

    def job(self, service):
        return self.view(service).job

    def items(self, service, state=""):
        return self.services.items(ANYONE, service, ItemQuery(state=state, limit=1000)).items

    def results(self, _=None):
        return results_in(self.folder / "out")


def results_in(folder):
    """All that is in the output, by name."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def listed(results):
    """The lines of all lists of results."""
    names = sorted(name for name in results if name.endswith(".manifest"))
    return [json.loads(line) for name in names for line in results[name].splitlines()]


def answers(results):
    """The results without the lists of them, whose names hold a task's id."""
    return {name: body for name, body in results.items() if not name.endswith(".manifest")}


def run(test, seconds=100):
    asyncio.run(asyncio.wait_for(test, seconds))
