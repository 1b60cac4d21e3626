"""Who takes part: how each server is installed, started and asked."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bodies import JPEG_TYPE, Bodies
from processes import Ask, Start, Unfit, free_ports

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = ROOT / ".cache" / "bench"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Place:
    """Where one start of one server happens."""

    bin: Path
    peer: Path
    port: int
    project: Path
    scratch: Path


@dataclass(frozen=True)
class Contender:
    """One row of the table."""

    name: str
    title: str
    command: Callable[[Place], Sequence[str]]
    packages: tuple[str, ...]  # whose versions are worth printing
    environment: str = ""  # folder of peers/ with its locked requirements; empty for our own environment
    env: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=lambda: {"jpeg": "/", "json": "/"})
    v2: bool = False  # takes numbers in the V2 inference protocol only

    @property
    def bin(self) -> Path:
        return CACHE / self.environment / "bin" if self.environment else Path(sys.executable).parent

    def install(self) -> None:
        """Make its environment from its lock, unless it is there; raises Unfit with what uv said."""
        if not self.environment:
            return
        lock = HERE / "peers" / self.environment / "requirements.txt"
        home, stamp = self.bin.parent, self.bin.parent / ".lock"
        wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if uv is None:
            raise Unfit("not installed: there is no uv; run make setup")
        steps = (
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(home)],
            [uv, "pip", "sync", "--quiet", "--python", str(home), "--require-hashes", str(lock)],
        )
        for step in steps:
            done = subprocess.run(step, check=False, capture_output=True, text=True)
            if done.returncode:
                raise Unfit(f"not installed: {' '.join(done.stderr.split())[-300:]}")
        stamp.write_text(wanted)

    def versions(self) -> dict[str, str]:
        ask = "import importlib.metadata as m, sys; print(*(m.version(n) for n in sys.argv[1:]))"
        said = subprocess.run(
            [str(self.bin / "python"), "-c", ask, *self.packages], check=True, capture_output=True, text=True
        ).stdout
        return dict(zip(self.packages, said.split(), strict=True))

    def ask(self, kind: str, bodies: Bodies) -> Ask:
        if kind == "jpeg":
            return Ask(self.paths[kind], bodies.jpeg, JPEG_TYPE, _mnist_result)
        body, digit = (bodies.v2, _v2_result) if self.v2 else (bodies.json, _mnist_result)
        return Ask(self.paths[kind], body, "application/json", digit)

    def start(self, kind: str, project: Path, scratch: Path) -> Start:
        """How it is started, on a free port, with its files and its log in the scratch folder."""
        port = free_ports(1)[0]
        place = Place(self.bin, HERE / "peers" / self.environment, port, project, scratch)
        ours = (str(HERE / "peers"), str(place.peer), str(ROOT / "packages/serve/src")) if self.environment else ()
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("MOORING_", "PYTHON", "BENCH_"))},
            **ONE_THREAD,
            **({"PYTHONPATH": os.pathsep.join(ours)} if ours else {}),
            "BENCH_PROJECT": str(project),
            "BENCH_KIND": kind,
            "BENCH_PORT": str(port),
            "MOORING_PORT": str(port),
            "MOORING_HOST": "127.0.0.1",
            "BENTOML_HOME": str(scratch / "bento"),
            **self.env,
        }
        return Start(self.command(place), env, port, scratch / f"{kind}.log")


def _mnist_result(body: bytes) -> int:
    return int(json.loads(body)["mnist_result"])


def _v2_result(body: bytes) -> int:
    return int(json.loads(body)["outputs"][0]["data"][0])


def _mlserver(place: Place) -> list[str]:
    grpc, metrics = free_ports(2)
    settings = {
        "host": "127.0.0.1",
        "http_port": place.port,
        "grpc_port": grpc,
        "metrics_port": metrics,
        "debug": False,  # this is what switches its access log off
        "parallel_workers": 0,  # its default, 1, does not start with the uvloop it resolves to
    }
    (place.scratch / "settings.json").write_text(json.dumps(settings))
    model = {"name": "mnist", "implementation": "app.Mnist"}
    (place.scratch / "model-settings.json").write_text(json.dumps(model))
    return [str(place.bin / "mlserver"), "start", str(place.scratch)]


def _uvicorn(place: Place) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(place.port)]
    quiet = ["--no-access-log", "--log-level", "warning"]
    return [str(place.bin / "uvicorn"), "app:app", "--app-dir", str(place.peer), *address, *quiet]


def _gunicorn(place: Place) -> list[str]:
    flags = ["-k", "gevent", "--keep-alive", "200", "-w", "1", "-b", f"127.0.0.1:{place.port}"]
    return [str(place.bin / "gunicorn"), *flags, "--chdir", str(place.peer), "app:app"]


def _bentoml(place: Place) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(place.port)]
    return [str(place.bin / "bentoml"), "serve", "app:Mnist", "--working-dir", str(place.peer), *address]


def _mooring(place: Place) -> list[str]:
    return [str(place.bin / "python"), "-m", "mooring_serve", str(place.project)]


def _litserve(place: Place) -> list[str]:
    return [str(place.bin / "python"), str(place.peer / "app.py")]


BENTO_QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "BENTOML_CONFIG_OPTIONS": "api_server.logging.access.enabled=false",
}
PREDICT = {"jpeg": "/predict", "json": "/predict"}
CONTENDERS = (
    Contender(
        "mooring", "Mooring", _mooring, ("mooring-serve", "httptools", "uvloop"), env={"MOORING_ACCESS_LOG": "off"}
    ),
    Contender(
        "mooring-log", "Mooring, access log on (its default)", _mooring, ("mooring-serve", "httptools", "uvloop")
    ),
    Contender("fastapi", "FastAPI + uvicorn, `def`", _uvicorn, ("fastapi", "uvicorn", "pydantic"), "fastapi"),
    Contender(
        "fastapi-async",
        "FastAPI + uvicorn, `async def`",
        _uvicorn,
        ("fastapi", "uvicorn", "pydantic"),
        "fastapi",
        env={"BENCH_WAY": "loop"},
    ),
    Contender("flask", "Flask + gunicorn gevent", _gunicorn, ("flask", "gunicorn", "gevent"), "flask"),
    Contender("litserve", "LitServe", _litserve, ("litserve", "fastapi", "uvicorn"), "litserve", paths=PREDICT),
    Contender("bentoml", "BentoML", _bentoml, ("bentoml",), "bentoml", env=BENTO_QUIET, paths=PREDICT),
    Contender(
        "mlserver",
        "MLServer",
        _mlserver,
        ("mlserver", "fastapi", "uvicorn"),
        "mlserver",
        paths={"jpeg": "/", "json": "/v2/models/mnist/infer"},
        v2=True,
    ),
)
