"""A whole platform under a real server on loopback, with its gateway and an engine in memory; and callers of it."""

import asyncio
import contextlib
import threading
import time
import uuid
from dataclasses import replace

import httpx
import uvicorn
import uvloop

from mooring.api.app import root
from mooring.control.platform import Platform
from mooring.control.tables import Model
from mooring.engine.memory import MemoryEngine, MemoryWorld
from mooring.gateway.app import Gateway
from mooring.gateway.listener import server_options
from mooring.gateway.standalone import Server, listening
from mooring.gateway.table import Table

PATIENCE_SECONDS = 60
FLAVOR = "modelarts.vm.cpu.2u"


class Place:
    """One platform, and `me`: its first user, in its first project. `at` makes other callers."""

    def __init__(self, settings):
        self.world = MemoryWorld()
        self._settings = settings
        self._clients = []
        self._up, self._stop, self._failed = threading.Event(), None, None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._up.wait(PATIENCE_SECONDS)
        if self._failed:
            raise self._failed
        self.token = self.platform.first_token.secret
        self.me = self.at(self.token)
        self.project = self.me.get("/v3/projects").json()["projects"][0]["id"]
        self.mine = f"/v1/{self.project}"

    def at(self, token=None, **headers):
        """A client with that token, and no other credential."""
        who = {"X-Auth-Token": token} if token else {}
        made = httpx.Client(base_url=self.url, headers={**who, **headers}, trust_env=False, timeout=PATIENCE_SECONDS)
        self._clients.append(made)
        return made

    def other(self):
        """Another project: a client of its first user, and the project's path."""
        made = self.me.post("/v1/projects", json={"name": f"p{uuid.uuid4().hex[:8]}"}).json()
        return self.at(made["token"]), f"/v1/{made['id']}"

    def model(self, *, image="memory:ready", status="published", project="", **fields):
        """A model's row, as an import leaves it."""
        model_id = str(uuid.uuid4())
        row = {
            "id": model_id,
            "project_id": project or self.project,
            "owner": "admin",
            "model_name": f"m{model_id[:8]}",
            "model_version": "1.0.0",
            "model_type": "Image",
            "description": "",
            "workspace_id": "0",
            "status": status,
            "error_msg": "",
            "source_location": image,
            "source_copy": False,
            "image": image,
            "image_digest": "",
            "size_bytes": 1234,
            "initial_config": "",
            "request": {},
            "created_at": self.platform.clock.now_ms(),
            "updated_at": 1,
        }
        with self.platform.db.begin() as session:
            session.add(Model(**{**row, **fields}))
        return model_id

    def deploy(self, model_id, **fields):
        """Create a service as clients do; its id."""
        entry = {"model_id": model_id, "specification": FLAVOR, "instance_count": 1, "weight": 100}
        body = {"service_name": f"s{uuid.uuid4().hex[:8]}", "infer_type": "real-time", "config": [entry], **fields}
        answer = self.me.post(f"{self.mine}/services", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["service_id"]

    def until(self, service_id, status, *, client=None, path=""):
        """The service once it has that status; `gone` is one, too."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            service = (client or self.me).get(f"{path or self.mine}/services/{service_id}").json()
            if service.get("status") == status or (status == "gone" and "error_code" in service):
                return service
            assert time.monotonic() < deadline, service
            time.sleep(0.05)

    def until_true(self, look, true):
        """What is seen once it is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true(seen := look()):
            assert time.monotonic() < deadline, seen
            time.sleep(0.05)
        return seen

    def close(self):
        for client in self._clients:
            client.close()
        if self._stop:
            self._stop()
        self._thread.join(PATIENCE_SECONDS)
        self.world.close()

    def _run(self):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self):
        try:
            async with await Platform.open(
                self._settings, engine=lambda _, platform_id: MemoryEngine(platform_id, self.world)
            ) as self.platform:
                with listening("127.0.0.1", 0) as bare:
                    port = bare.getsockname()[1]
                    self.url = f"http://127.0.0.1:{port}"
                    self.platform.settings = replace(self.platform.settings, listen=f"127.0.0.1:{port}")
                    await self._until_stopped(bare)
        except BaseException as error:
            self._failed = error
            raise
        finally:
            self._up.set()

    async def _until_stopped(self, bare):
        gateway = Gateway(self.platform.gateways, gateway_id="embedded")
        config = uvicorn.Config(
            root(self.platform, gateway), lifespan="off", timeout_graceful_shutdown=2, **server_options()
        )
        server, loop = Server(config), asyncio.get_running_loop()
        server.capture_signals = contextlib.nullcontext  # signals are for main threads
        beside = [asyncio.create_task(self.platform.run()), asyncio.create_task(gateway.run())]
        self._stop = lambda: loop.call_soon_threadsafe(setattr, server, "should_exit", True)
        serving = asyncio.create_task(server.serve(sockets=[bare]))
        while not server.started:
            await asyncio.sleep(0.01)
        self._up.set()
        await serving
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        # Nothing is served any more: it lets go of its connections.
        gateway.take(Table(number=gateway.table.number))
        await asyncio.sleep(0.05)
