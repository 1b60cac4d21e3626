"""A platform of processes in a folder of its own, and what a job on it cost: time, its processors' and the model's."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from mooring.client import Client

UP = re.compile(r"mooring is up at (http://\S+)")
REQUEST = re.compile(r"(\d{4}-\d\d-\d\dT\S+Z) .*\bINFO request\b")
EACH = 8
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Job:
    """What came of one job: inputs (or rows) a second, and the CPU of the platform and of the model for each."""

    rate: float
    feeder_us: float
    model_us: float
    memory_mib: float


class House:
    """`mooring up`, and a client of it."""

    def __init__(self, data: Path, process: subprocess.Popen[str], url: str) -> None:
        self.data = data
        self.process = process
        self.client = Client(url, (data / "token").read_text().strip(), environ={})
        self._ports: dict[str, int] = {}

    def bring(self, project: Path, name: str) -> None:
        """Import a project, and keep one replica of it up for the plain clients."""
        model = self.client.import_model(project, name, "1.0.0", install_type=["real-time", "batch"])
        found = self.client.wait_for_model(model)
        if found["model_status"] != "published":
            raise SystemExit(f"{name} was not imported: {found.get('error_msg')}")
        service = self.client.deploy(name, [{"model_id": name, "weight": 100}])
        if self.client.wait_for_service(service)["status"] != "running":
            raise SystemExit(f"{name} does not run")
        token = self.client.create_key("gateway")["secret"]
        table = httpx.get(
            f"{self.client.connection.url}/gateway/table", headers={"X-Auth-Token": token}, trust_env=False
        ).text
        [port] = {int(one) for one in re.findall(r"http://127\.0\.0\.1:(\d+)", table)} - set(self._ports.values())
        self._ports[name] = port

    def port(self, name: str) -> int:
        """Where the kept replica of a model listens."""
        return self._ports[name]

    def job(self, name: str, source: Path, output: Path, **config: Any) -> Job:
        """Run a batch service to its end. SystemExit unless everything is done."""
        told = {"src_path": f"file://{source}/", "dest_path": f"file://{output}/", "req_uri": "/", **config}
        before = self._models()
        service = self.client.batch.run(f"job-{time.monotonic_ns()}", {"model_id": name, **told})
        costs = _Costs(self.process.pid, before, self._models)
        found = self.client.batch.wait(service, seen=lambda one: costs.note(one["batch_progress"]["requests"]))
        job = found["batch_progress"]
        if found["status"] != "finished" or job["failed"]:
            raise SystemExit(f"the job is {found['status']}: {found.get('error_msg') or job}")
        began = self._first_request(service)
        rate = job["requests"] / (job["finished_at"] / 1000 - began)
        feeder, model = costs.each_us()
        memory = _memory_mib(self.process.pid)
        self.client.delete_service(service)
        self.client.wait_until_deleted(service)
        return Job(rate, feeder, model, memory)

    def _first_request(self, service: str) -> float:
        """When the model answered for the first time, by its own log."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for file in sorted((self.data / "logs" / service).glob("*.jsonl")):
                with file.open() as lines:
                    for line in lines:
                        if found := REQUEST.search(json.loads(line)["text"]):
                            return datetime.fromisoformat(found[1]).timestamp()
            time.sleep(0.1)
        raise SystemExit("the model logged no request")

    def _models(self) -> set[int]:
        """The processes that serve models of this platform."""
        return {pid for pid in _pids() if f"{self.data}/" in (line := _command(pid)) and "mooring_serve" in line}


class _Costs:
    """CPU and requests at the first look that saw a request, and at the last that saw the model's processes."""

    def __init__(self, platform: int, before: set[int], models: Any) -> None:
        self._platform = platform
        self._before = before
        self._models = models
        self._pids: set[int] = set()
        self._first: tuple[float, float, int] | None = None
        self._last: tuple[float, float, int] | None = None

    def note(self, requests: int) -> None:
        pids = self._models() - self._before
        model = [one for pid in pids if (one := _cpu_seconds(pid)) is not None]
        # Of a model that is being stopped, some processes are gone before others.
        if requests and model and (not self._pids or len(model) == len(self._pids)):
            self._pids = self._pids or pids
            self._last = (_cpu_seconds(self._platform) or 0.0, sum(model), requests)
            self._first = self._first or self._last

    def each_us(self) -> tuple[float, float]:
        if not self._first or not self._last or self._first[2] == self._last[2]:
            return float("nan"), float("nan")
        feeder, model, requests = (last - first for first, last in zip(self._first, self._last, strict=True))
        return feeder / requests * 1e6, model / requests * 1e6


@contextlib.contextmanager
def house(folder: Path) -> Iterator[House]:
    """Start a platform there, and take away all that it runs in the end."""
    data = folder / "data"
    words = [sys.executable, "-m", "mooring.cli", "up", "--engine", "process", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen([*words, "--data", str(data)], stderr=subprocess.PIPE, text=True)
    found = threading.Event()
    said: list[str] = []

    def listen() -> None:
        for line in process.stderr or ():
            said.append(line)
            if "token" in line:
                found.set()
        found.set()

    threading.Thread(target=listen, daemon=True).start()
    found.wait(60)
    match = UP.search("".join(said))
    if not match:
        raise SystemExit(f"the platform does not start: {''.join(said)}")
    here = House(data, process, match[1])
    try:
        yield here
    finally:
        with contextlib.suppress(Exception):  # what cannot be deleted must not keep the platform running
            for service in here.client.services():
                here.client.delete_service(service["service_id"])
                here.client.wait_until_deleted(service["service_id"])
        process.send_signal(signal.SIGTERM)
        process.wait()


def _pids() -> Iterator[int]:
    return (int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit())


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _cpu_seconds(pid: int) -> float | None:
    """User and system time of all its threads so far, those that have ended too; None when it is gone."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return None


def _memory_mib(pid: int) -> float:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024
