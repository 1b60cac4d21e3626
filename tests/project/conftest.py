"""A small project that can be built without any package index, and what builds and starts its image."""

import json
import subprocess
import time
import urllib.request
import uuid
import zipfile

import pytest

from mooring.project import Options, Project, build, find_builder
from mooring.project.build import FOUNDATION
from mooring.project.cache import digest

HANDLER = """
import os, sys
import thing
from mooring_serve import Handler

class Knots(Handler):
    def setup(self, model_dir):
        self.factor = float((model_dir / "factor.txt").read_text())

    def predict(self, speed):
        return {"knots": speed * self.factor, "thing": thing.VERSION, "by": os.getuid(), "path": sys.path}
"""
CONFIG = {
    "model_algorithm": "it's_knots",
    "model_type": "Image",
    "apis": [
        {
            "url": "/",
            "method": "POST",
            "request": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"speed": {"type": "number"}}, "required": ["speed"]},
            },
            "response": {"Content-type": "application/json", "data": {"type": "object"}},
        }
    ],
    "metrics": {"accuracy": 0.99},
}


def docker(*arguments):
    return subprocess.run(("docker", *arguments), capture_output=True, text=True, check=True).stdout.strip()


def make_project(root):
    (root / "model").mkdir(parents=True)
    (root / "model" / "factor.txt").write_text("1.9438")
    (root / "handler.py").write_text(HANDLER)
    (root / "config.json").write_text(json.dumps(CONFIG))
    (root / "requirements.txt").write_text("--no-index\nthing\n")
    (root / "wheels").mkdir()
    with zipfile.ZipFile(root / "wheels" / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing.py", "VERSION = '1.0'\n")
        wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        wheel.writestr(
            "thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("thing-1.0.dist-info/RECORD", "")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOORING_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def make(debian_base, cache):
    """Build a project; what was built is removed in the end."""
    builder = find_builder()
    made, owners = set(), set()

    def image(root, *, say=print, **options):
        tag = f"mooring-test-{uuid.uuid4().hex[:8]}:1"
        made.add(tag)
        project = Project.open(root)
        owners.add(digest(str(project.root))[:8])
        return build(project, tag, Options(**{"base": debian_base, **options}), builder=builder, say=say)

    yield image
    # Others may build at the same time: theirs are not ours to take away.
    made.update(f"{FOUNDATION}:{tag}" for tag in builder.tags(FOUNDATION) if tag.partition("-")[0] in owners)
    for tag in made:
        if builder.image(tag):
            builder.untag(tag)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return make_project(tmp_path_factory.mktemp("knots") / "project")


@pytest.fixture(scope="module")
def built(project, make):
    return make(project)


@pytest.fixture
def start(test_label):
    """Start an image, wait until it is healthy, and give its name and address."""
    names = []

    def started(tag, *options):
        name = docker("run", "--detach", "--label", test_label, "--publish", "127.0.0.1::8080", *options, tag)
        names.append(name)
        address = "http://" + docker("port", name, "8080").splitlines()[0]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=2) as answer:
                    assert json.load(answer) == {"health": "true"}
                    return name, address
            except OSError:
                time.sleep(0.05)
        raise AssertionError(docker("logs", name))

    yield started
    for name in names:
        docker("rm", "--force", "--volumes", name)
