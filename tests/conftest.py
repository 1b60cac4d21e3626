"""What every test may ask for: a real container engine, images that behave and misbehave, and no skip in silence."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path

import docker
import pytest

from mooring.engine import DockerEngine
from mooring.errors import Unavailable

DOUBLES = Path(__file__).parent / "doubles"
TEST_LABEL = "io.mooring.test"
MISSING = os.environ.get("MOORING_TEST_ENGINE_MISSING", "")
# One engine can be had on every machine that tests; this, beside it, only where it is installed and may run.
SECOND_ENGINE = "no Podman: "
# The files that take longest are the first that workers get, so that none is left with one alone in the end. The second
# needs no base image: where that must be made first, a minute's work, nobody waits for it.
LONGEST_FIRST = (
    "tests/checks/test_zoo.py",
    "tests/control/test_importing.py",
    "tests/cli/test_check.py",
    "tests/journeys/test_platform.py",
    "tests/journeys/test_tutorial.py",
    "tests/cli/test_batch.py",
    "tests/control/test_jobs_kill.py",
    "tests/journeys/test_demo.py",
    "tests/cli/test_platform_life.py",
    "tests/cli/test_platform.py",
    "tests/control/test_reconcile.py",
    "packages/serve/tests/test_life.py",
    "packages/serve/tests/test_requests.py",
    "packages/serve/tests/test_handler_faults.py",
    "tests/engine/test_podman.py",
    "tests/engine/test_container_workloads.py",
    "tests/promises/test_engine.py",
    "tests/cli/test_run.py",
    "tests/image/test_hostile.py",
    "tests/api/test_openapi.py",
    "tests/project/test_image.py",
    "tests/project/test_customize_service.py",
)
NO_SKIPS = os.environ.get("MOORING_TEST_NO_SKIPS", "") not in ("", "0")


def pytest_collection_modifyitems(config, items):
    """Order the files for workers; tests that need an engine are skipped, with the reason, where none answers."""
    if hasattr(config, "workerinput"):
        ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))
    needing = [item for item in items if item.get_closest_marker("engine")]
    reason = _why_no_engine() if needing else ""
    for item in needing if reason else ():
        item.add_marker(pytest.mark.skip(reason=f"no container engine: {reason}"))


def _why_no_engine():
    if MISSING:
        return MISSING
    try:
        DockerEngine.connect().close()
    except Unavailable as error:
        return error.message
    return ""


def pytest_sessionfinish(session):
    """On machines where nothing may be skipped, a skip is a failure (of the whole run: a worker of xdist tells it)."""
    if NO_SKIPS and _failing(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Say how many tests were skipped, and why, where nobody can overlook it."""
    skipped = _skipped(config)
    if not skipped:
        return
    reasons = {}
    for report in skipped:
        reasons.setdefault(_why(report), []).append(report.nodeid)
    terminalreporter.section(f"{len(skipped)} NOT RUN", sep="!", red=True, bold=True)
    for why, names in reasons.items():
        terminalreporter.line(f"{len(names)} x {why}", yellow=True)
        for name in names if NO_SKIPS else ():
            terminalreporter.line(f"    {name}")
    if NO_SKIPS and _failing(config):
        terminalreporter.line("MOORING_TEST_NO_SKIPS is set: this run FAILS because of them", red=True, bold=True)


def _skipped(config):
    """What was skipped, by whichever worker; they themselves have no terminal."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter else []


def _failing(config):
    """Those that are failures where nothing may be skipped."""
    return [report for report in _skipped(config) if SECOND_ENGINE not in _why(report)]


def _why(report):
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.fixture
def mooring():
    """Run the command as a user does, and give what it printed and its exit code."""

    def run(*words, cwd=None, **environ):
        return subprocess.run(
            [sys.executable, "-m", "mooring.cli", *map(str, words)],
            env={**os.environ, **environ},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def postgresql_server():
    """A PostgreSQL server of our own; a test that stops it starts it again."""
    from postgresql_server import NoServerError, PostgresqlServer

    try:
        server = PostgresqlServer()
    except NoServerError as error:
        pytest.skip(str(error))
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database, once of each kind that a platform may have."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'mooring.db'}"
        return
    with request.getfixturevalue("postgresql_server").database() as url:
        yield url


@pytest.fixture(scope="session")
def engine():
    """Our engine object, connected."""
    with DockerEngine.connect() as connected:
        yield connected


@pytest.fixture(scope="session")
def test_label(engine):
    """A label, key=value; whatever container carries it is removed at the end."""
    label = f"{TEST_LABEL}={uuid.uuid4().hex}"
    yield label
    for container in engine.containers(label=label):
        engine.remove(container)


@pytest.fixture(scope="session")
def one_at_a_time(tmp_path_factory):
    """Give a context that one process of this run is in at a time, by name: for what is made once for all workers."""
    under_xdist = "PYTEST_XDIST_WORKER" in os.environ
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if under_xdist else folder

    @contextlib.contextmanager
    def turn(name):
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    return turn


@pytest.fixture(scope="session")
def debian_base(one_at_a_time):
    """The reference of the image that `mooring build --base debian` starts from; made once an engine (about 45 s)."""
    from mooring.project.base import Recipe, debian_base
    from mooring.project.builder import find_builder

    with one_at_a_time("debian-base"):
        return debian_base(find_builder(), Recipe(), say=print)


@pytest.fixture(scope="session")
def double(engine, debian_base):
    """Give the image of a program in tests/doubles by its name, with command, labels, files (bytes by path), base."""
    client = docker.DockerClient(base_url=engine.address.url)
    made = []

    def image(name, *, command=("python3", "-u", "/double.py"), labels=None, files=None, base=debian_base):
        tag = f"mooring-double:{name.replace('_', '-')}-{uuid.uuid4().hex[:8]}"
        # Each step of a build takes its time.
        marks = " ".join(f"{json.dumps(key)}={_quoted(value)}" for key, value in (labels or {}).items())
        lines = [f"FROM {base}", *([f"LABEL {marks}"] if marks else []), "USER 1000:100", f"CMD {json.dumps(command)}"]
        # Most doubles are the first file with one thing done wrong.
        copied = {
            "/keeps_the_contract.py": (DOUBLES / "keeps_the_contract.py").read_bytes(),
            "/double.py": (DOUBLES / f"{name}.py").read_bytes(),
            **(files or {}),
        }
        contents = {f"root{path}": (data, 0o755 if path in (files or {}) else 0o644) for path, data in copied.items()}
        contents["Dockerfile"] = "\n".join([*lines, "COPY root/ /"]).encode(), 0o644
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as tar:
            for file, (data, mode) in contents.items():
                entry = tarfile.TarInfo(file)
                entry.size, entry.mode = len(data), mode
                tar.addfile(entry, io.BytesIO(data))
        context.seek(0)
        client.images.build(fileobj=context, custom_context=True, tag=tag, rm=True)
        made.append(tag)
        return tag

    yield image
    for tag in made:
        client.images.remove(tag, force=True)
    client.close()


def _quoted(value):
    """A Dockerfile's double-quoted string: backslash, quote and dollar mean something in it."""
    for special in '\\"$':
        value = value.replace(special, f"\\{special}")
    return f'"{value}"'
