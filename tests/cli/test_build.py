"""`mooring build`, as a user types it."""

import os
import subprocess
import sys
import uuid

import pytest

from mooring.project import scaffold


def mooring(*arguments, **environment):
    return subprocess.run(
        (sys.executable, "-c", "from mooring.cli import main; main()", *map(str, arguments)),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_folder_that_is_no_project_is_refused_with_exit_code_2(tmp_path):
    done = mooring("build", tmp_path, "-t", "x:1")
    assert done.returncode == 2
    assert "is not a project" in done.stderr
    assert "mooring init" in done.stderr


def test_an_image_without_a_name_is_asked_for_one(tmp_path):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root)
    assert done.returncode == 2
    assert "-t wind:1" in done.stderr


@pytest.mark.engine
def test_what_was_ejected_is_built_under_the_name_that_a_build_would_suggest(tmp_path, debian_base):
    root = scaffold(tmp_path / "Ships", template="tabular")
    done = mooring("build", root, "--base", debian_base, "--eject", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert f"docker build -t ships:1 {tmp_path / 'out'}" in done.stdout


def test_a_machine_without_a_builder_is_told_what_to_install(tmp_path):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root, "-t", "wind:1", PATH=str(tmp_path))
    assert done.returncode == 69
    assert "no docker command" in done.stderr
    assert "apt install" in done.stderr


def test_an_engine_that_does_not_answer_is_told_with_its_words(tmp_path):
    tool = tmp_path / "bin" / "docker"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    tool.chmod(0o755)
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root, "-t", "wind:1", PATH=str(tool.parent))
    assert done.returncode == 69
    assert "Cannot connect to the Docker daemon" in done.stderr


BUILDAH = """#!/bin/sh
case "$1" in
inspect) echo '{"FromImageID": "0123456789abcdef", "OCIv1": {"architecture": "amd64", "config": {}}}' ;;
images) echo '[{"size": "12 MB"}]' ;;
esac
"""


def test_an_image_that_buildah_made_is_told_so_last_with_how_to_run_it(tmp_path):
    tool = tmp_path / "bin" / "buildah"
    tool.parent.mkdir()
    tool.write_text(BUILDAH)
    tool.chmod(0o755)
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root, "-t", "wind:1", PATH=str(tool.parent))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "Next: podman run --rm -p 127.0.0.1:8080:8080 wind:1" in lines[0]
    assert lines[-1].startswith("built by buildah, as no Docker answers")
    assert "For `mooring run wind:1` start podman's socket: podman system service" in lines[-1]


def test_an_edition_that_does_not_exist_is_refused(tmp_path):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root, "-t", "wind:1", "--edition", "otc-2222")
    assert done.returncode == 2
    assert "otc-2222" in done.stderr


@pytest.mark.engine
def test_the_last_line_is_the_image_its_size_and_what_to_do_next(tmp_path, debian_base):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    tag = f"mooring-test-{uuid.uuid4().hex[:8]}:1"
    done = mooring("build", root, "-t", tag, "--base", debian_base)
    try:
        assert done.returncode == 0, done.stderr
        last, ask = done.stdout.strip().splitlines()[-2:]
        assert last.startswith(tag)
        assert " MB" in last
        assert f"mooring run {tag}" in last
        assert """mooring predict 127.0.0.1:8080/ -d '{"wind": """ in ask
    finally:
        subprocess.run(("docker", "image", "rm", "--force", tag), capture_output=True, check=False)


@pytest.mark.parametrize("tag", ["UPPER:1", "--x"])
def test_a_name_that_no_image_can_have_is_refused_before_an_engine_is_looked_for(tmp_path, tag):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    done = mooring("build", root, f"--tag={tag}", PATH=str(tmp_path))
    assert done.returncode == 2
    assert f"'{tag}' is not a name for an image" in done.stderr
    assert "mnist:1" in done.stderr


@pytest.mark.engine
@pytest.mark.parametrize("template", ["bring-your-own", "tabular"])
@pytest.mark.parametrize("place", ["option", "mooring.toml"])
def test_a_base_that_is_an_option_never_reaches_the_engine(tmp_path, template, place):
    root = scaffold(tmp_path / "wind", template=template)
    if place == "mooring.toml":
        (root / "mooring.toml").write_text('base = "--foo"\n')
    done = mooring("build", root, "-t", "wind:1", *(["--base=--foo"] if place == "option" else []))
    assert done.returncode == 2
    assert "base '--foo' is not an image" in done.stderr
