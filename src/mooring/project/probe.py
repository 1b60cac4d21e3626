"""What a base image has to offer: its Python, its C library, and the tools a batch run needs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.errors import MooringError, Refused
from mooring.project.cache import cache_folder, digest, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.project.builder import Builder

SERVER_PYTHON = (3, 10)
WORKER_PYTHON = (3, 8)
# What uv can resolve for: https://docs.astral.sh/uv/reference/cli/#uv-pip-install--python-platform
GLIBC_STEPS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
BATCH_PROGRAMS = ("java", "zip")
# Packages that engines of ModelArts are made of; a base that has them already need not be given them again.
MODULES = (
    *("PIL", "cv2", "joblib", "mindspore", "numpy", "pandas", "scipy", "sklearn", "tensorflow", "torch", "torchvision"),
    "xgboost",
)

_ASK_PYTHON = f"""
import importlib.util, json, os, platform, sys
def has(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
print(json.dumps(dict(
    executable=sys.executable, version=list(sys.version_info[:3]), implementation=sys.implementation.name,
    magic=importlib.util.MAGIC_NUMBER.hex(), machine=platform.machine(), libc=list(platform.libc_ver()),
    modules=[name for name in {MODULES!r} if has(name)],
)))
"""
# Nothing in it is a user's text but the name of the worker's interpreter, quoted.
_SCRIPT = """
for program in java zip; do command -v "$program" >/dev/null 2>&1 && echo "program $program"; done
if [ -e /lib/ld-musl-x86_64.so.1 ] || [ -e /lib/ld-musl-aarch64.so.1 ]; then echo "musl"; fi
while IFS=: read -r name _ uid _; do [ "$uid" = 1000 ] && echo "user $name"; done </etc/passwd
for python in python3 {worker}; do
  if command -v "$python" >/dev/null 2>&1; then printf 'python %s ' "$python"; "$python" -I -c {code}; fi
done
true
"""


@dataclass(frozen=True, kw_only=True)
class Python:
    """An interpreter in an image."""

    executable: str
    version: tuple[int, ...]
    implementation: str = "cpython"
    magic: str = ""
    """What compiled modules of this interpreter begin with."""
    machine: str = ""
    libc: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def series(self) -> str:
        """Its version as wheels know it: `3.11`."""
        return ".".join(map(str, self.version[:2]))


@dataclass(frozen=True, kw_only=True)
class Base:
    """An image to build on: what it is called, which one it is, and what was found in it."""

    reference: str
    id: str
    server: Python
    worker: Python
    musl: bool = False
    programs: tuple[str, ...] = ()
    user: str = ""
    """The name of user 1000; empty if there is none."""
    entrypoint: tuple[str, ...] = field(default=())

    @property
    def missing_for_batch(self) -> tuple[str, ...]:
        """Programs without which the image cannot be deployed as a batch service (IMG-DEPS-01)."""
        return tuple(name for name in BATCH_PROGRAMS if name not in self.programs)

    def platform(self, python: Python) -> str:
        """The platform for which `uv` looks for wheels, such as `x86_64-manylinux_2_36`.

        Raises:
            Refused: there are no wheels for such an image.
        """
        machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(python.machine, python.machine)
        if machine not in {"x86_64", "aarch64"}:
            raise Refused(f"{self.reference} is for {machine}; mooring builds for x86_64 and aarch64")
        if self.musl:
            return f"{machine}-unknown-linux-musl"
        library, version = (*python.libc, "", "")[:2]
        minor = int(version.split(".")[1]) if library == "glibc" and version.startswith("2.") else GLIBC_STEPS[0]
        usable = [step for step in GLIBC_STEPS if step <= minor]
        if not usable:
            raise Refused(f"{self.reference} has glibc {version}; wheels need 2.{GLIBC_STEPS[0]} or newer")
        return f"{machine}-manylinux_2_{usable[-1]}"


def probe(builder: Builder, reference: str, *, worker: str, platform: str = "", say: Callable[[str], None]) -> Base:
    """Look into an image once; later calls for the same image are answered from the cache.

    `say` gets a line when the image has to be fetched first.

    Raises:
        NotFound: there is no such image.
        Refused: it has no Python that the server could run on, or no interpreter called `worker`.
    """
    image = builder.image(reference)
    if image is None or (platform and image.architecture and image.architecture != platform.split("/")[1]):
        say(f"fetching the image {reference}")
        builder.pull(reference, platform=platform)
        image = builder.image(reference)
    if image is None:
        raise Refused(f"{builder.name} does not know {reference} after it fetched it")
    kept = cache_folder() / "bases" / f"{digest(_SCRIPT, _ASK_PYTHON, image.id, worker)}.json"
    found = read_json(kept)
    if not found:
        found = _look(builder, reference, worker=worker, platform=platform)
        write_json(kept, found)
    server, chosen = _pythons(found, reference, worker)
    return Base(
        reference=reference,
        id=image.id,
        server=server,
        worker=chosen,
        musl=bool(found["musl"]),
        programs=tuple(found["programs"]),
        user=found["user"],
        entrypoint=image.entrypoint,
    )


def _look(builder: Builder, reference: str, *, worker: str, platform: str) -> dict[str, Any]:
    script = _SCRIPT.format(worker=_quoted(worker), code=_quoted(_ASK_PYTHON))
    try:
        said = builder.shell(reference, script, platform=platform)
    except MooringError as error:
        raise type(error)(f"{reference} could not be looked into: {error.message}", hint=error.hint) from error
    found: dict[str, Any] = {"programs": [], "musl": False, "user": "", "pythons": {}}
    for line in said.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "program":
            found["programs"].append(rest)
        elif kind == "musl":
            found["musl"] = True
        elif kind == "user":
            found["user"] = rest
        elif kind == "python":
            name, _, told = rest.partition(" ")
            found["pythons"][name] = json.loads(told)
    return found


def _pythons(found: dict[str, Any], reference: str, worker: str) -> tuple[Python, Python]:
    have = {
        name: Python(
            executable=told["executable"],
            version=tuple(told["version"]),
            implementation=told["implementation"],
            magic=told["magic"],
            machine=told["machine"],
            libc=tuple(told["libc"]),
            modules=tuple(told["modules"]),
        )
        for name, told in found["pythons"].items()
    }
    hint = "choose another base, or --base debian"
    server = have.get("python3")
    if server is None:
        raise Refused(f"{reference} has no python3 on its PATH; the server needs Python 3.10 or newer", hint=hint)
    if server.version[:2] < SERVER_PYTHON:
        raise Refused(f"{reference} has Python {server.series}; the server needs 3.10 or newer", hint=hint)
    chosen = have.get(worker)
    if chosen is None:
        raise Refused(f"{reference} has no interpreter {worker!r}, which mooring.toml names", hint=hint)
    if {server.implementation, chosen.implementation} != {"cpython"}:
        raise Refused(f"{reference} has a Python that is not CPython; wheels for it are rare", hint=hint)
    if chosen.version[:2] < WORKER_PYTHON:
        raise Refused(f"{worker} in {reference} is Python {chosen.series}; a worker needs 3.8 or newer", hint=hint)
    return server, chosen


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
