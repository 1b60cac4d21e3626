"""What an image may be built on, with a real engine."""

import shutil
import subprocess
import uuid

import pytest

from mooring.errors import Refused, Unavailable

pytestmark = pytest.mark.engine


@pytest.fixture
def variant(debian_base):
    """An image like the base, after a command."""
    made = []

    def image(command):
        tag = f"mooring-test-{uuid.uuid4().hex[:8]}:base"
        recipe = f"FROM {debian_base}\nRUN {command}\n"
        subprocess.run(("docker", "build", "--quiet", "--tag", tag, "-"), input=recipe.encode(), check=True)
        made.append(tag)
        return tag

    yield image
    for tag in made:
        subprocess.run(("docker", "image", "rm", "--force", tag), check=True, capture_output=True)


def test_a_base_without_java_will_do_but_not_for_batch(project, make, variant):
    said = []
    make(project, base=variant("rm -f /usr/bin/java"), say=said.append)
    assert any("no java" in line and "batch" in line for line in said)


def test_a_base_without_python_is_refused(project, make, variant):
    with pytest.raises(Refused, match="has no python3"):
        make(project, base=variant("rm -f /usr/bin/python3"))


def test_an_interpreter_that_the_base_does_not_have_is_refused_by_name(tmp_path, project, make):
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    (copy / "mooring.toml").write_text('python = "python3.4"\n')
    with pytest.raises(Refused, match=r"no interpreter 'python3\.4'"):
        make(copy)


def test_a_registry_out_of_reach_is_told_with_the_way_to_do_without(project, make):
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9") as caught:
        make(project, base="127.0.0.1:9/mooring-test-nothing:1")
    assert "debian" in caught.value.hint
