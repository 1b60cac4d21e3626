"""The mnist example's image over a folder of digits that we drew, in real containers."""

import json
import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from batch_models import results
from platform_process import PlatformProcess

pytestmark = pytest.mark.engine

MNIST = Path(__file__).resolve().parents[2] / "examples" / "mnist"
# The check is tried elsewhere, and takes its time.
SETTINGS = """
gate = "off"

[timings]
resync_seconds = 0.2
probe_seconds = 0.1
drain_seconds = 20
grace_seconds = 10
"""


@pytest.fixture(scope="module")
def platform(tmp_path_factory, engine, debian_base):
    """A platform of containers that has the example's image as a model for both kinds of service."""
    here = PlatformProcess(tmp_path_factory.mktemp("platform") / "data", engine="docker", settings=SETTINGS).start()
    image = f"mooring-journey-mnist:{uuid.uuid4().hex[:8]}"
    try:
        here.done("build", MNIST, "-t", image)
        here.done("import", image, "mnist", "--kind", "both")
        yield here
    finally:
        here.close()
        subprocess.run((engine.program, "image", "rm", "--force", image), capture_output=True, check=False)


@pytest.fixture
def drawn(tmp_path):
    """Sixty digits: the fifty of five hands in a folder each, and ten under names of their own."""
    folder = tmp_path / "drawn"
    for picture in sorted((MNIST / "samples").rglob("[0-9].*")):
        target = folder / picture.relative_to(MNIST / "samples")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)
    for digit in range(10):
        shutil.copyfile(MNIST / "samples" / f"{digit}.jpg", folder / f"the digit {digit} & again.jpg")
    return folder


@pytest.mark.parametrize("instances", [1, 3])
def test_every_drawn_digit_is_read_and_listed(platform, drawn, tmp_path, instances):
    output, name = tmp_path / "read", f"digits-{instances}"
    words = ("--input", drawn, "--output", output, "--name", name, "--instances", instances)
    done = platform.mooring("batch", "run", "mnist", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{name}: 60 of 60 done; ")
    pictures = {str(one.relative_to(drawn)) for one in drawn.rglob("*") if one.is_file()}
    assert len(pictures) == 60
    for picture in pictures:
        read = json.loads((output / "infer-result" / f"{picture}_result.txt").read_text())
        assert str(read["mnist_result"]) == re.search(r"\d", Path(picture).name)[0], picture
    listed = results(output)
    assert {one["source"] for one in listed} == {(drawn / picture).as_uri() for picture in pictures}
    assert all(one["inference-loc"].endswith("_result.txt") for one in listed)
    assert len(listed) == len(pictures) == sum(one.is_file() for one in (output / "infer-result").rglob("*"))
    served = {line.split("  ")[1] for line in platform.done("batch", "logs", name, "--tail", 1000).splitlines()}
    assert len(served) == instances
    assert platform.told("batch", "show", name)["status"] == "finished"
    assert platform.done("delete", name) == f"deleted {name}\n"
