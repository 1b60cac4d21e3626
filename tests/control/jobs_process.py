"""A platform in a process of its own that does one job over a folder, and is there to be killed.

`python jobs_process.py DATA DATABASE PLACE [ENDPOINT]`: input in PLACE/in, output in PLACE/out, PLACE being the address
of a folder or, at an S3 endpoint, of a bucket. Whoever starts it again goes on from where it was. It says that it is
going, ends when the job is over, and tells how.
"""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from control.works import config
from sqlalchemy import select

from mooring.control.platform import Platform
from mooring.control.settings import Settings, Timings
from mooring.control.tables import Model, Service
from mooring.control.wishes import ServiceEntry, ServiceWish
from mooring.gateway.table import Principal
from mooring.storage import StorageSettings

TIMINGS = Timings(resync_seconds=0.05, probe_seconds=0.02, backoff_seconds=0.05, drain_seconds=1, grace_seconds=1)


def begin(platform, place):
    """The one service; made at the first start."""
    with platform.db.read() as session:
        if found := session.scalar(select(Service.id)):
            return found
    [project] = platform.keys.projects()
    with platform.db.begin() as session:
        if session.get(Model, "m") is None:
            texts = ("description", "error_msg", "source_location", "image_digest", "initial_config")
            model = Model(id="m", project_id=project.id, owner="admin", model_name="m", model_version="1.0.0")
            for name in texts:
                setattr(model, name, "")
            model.model_type, model.status, model.image = "Image", "published", "memory:digest_picky_slow-0.02"
            model.workspace_id, model.source_copy, model.size_bytes = "0", False, 0
            model.config, model.request, model.created_at, model.updated_at = config(), {}, 1, 1
            session.add(model)
    fields = {"src_path": f"{place}/in/", "dest_path": f"{place}/out/", "req_uri": "/predict"}
    entry = ServiceEntry(
        model_id="m", specification="local.cpu.half", instance_count=3, extra={**fields, "mapping_type": "file"}
    )
    principal = Principal(project_id=project.id, user_name="admin", key_id="k")
    return platform.services.create(principal, ServiceWish(service_name="b", infer_type="batch", config=(entry,)))


async def main(data, database, place, endpoint=""):
    made_up = {"access_key": "made-up", "secret_key": "made-up-secret"} if endpoint else {}
    settings = Settings(
        data=Path(data),
        database=database,
        engine="memory",
        edition="otc-2024",
        timings=TIMINGS,
        storage=StorageSettings(endpoint=endpoint, **made_up),
    )
    async with await Platform.open(settings) as platform:
        running = asyncio.ensure_future(platform.run())
        service_id = await asyncio.to_thread(begin, platform, place)
        print("going", flush=True)
        while True:
            with platform.db.read() as session:
                service = session.get_one(Service, service_id)
            if service.status in ("finished", "failed"):
                print(service.status, service.error_msg)
                break
            await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
