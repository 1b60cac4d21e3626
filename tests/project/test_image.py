"""From folder to image with a real engine: what is in it, how it starts and stops, and what a rebuild costs."""

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from mooring.errors import Refused
from mooring.project import Options, Project, build, eject, find_builder, scaffold
from mooring.project.build import FOUNDATION
from mooring.project.cache import digest
from mooring.project.docker_cli import DockerCli

pytestmark = pytest.mark.engine


def docker(*arguments):
    return subprocess.run(("docker", *arguments), capture_output=True, text=True, check=True).stdout.strip()


def inspect(reference):
    return json.loads(docker("image", "inspect", reference))[0]


def forget(root, names):
    """Remove images and the foundation of the project they were made of."""
    builder = find_builder()
    owner = digest(str(root))[:8]
    ours = [f"{FOUNDATION}:{tag}" for tag in builder.tags(FOUNDATION) if tag.startswith(owner)]
    for name in (*names, *ours):
        builder.untag(name)


def ask(address, value):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, data=json.dumps(value).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_the_image_answers_with_its_own_packages_as_a_plain_user(built, start):
    name, address = start(built.tag)
    answer = ask(address, {"speed": 10})
    assert answer["knots"] == pytest.approx(19.438)
    assert answer["thing"] == "1.0"
    assert answer["by"] == 1000
    assert "/opt/mooring/packages" in answer["path"]
    assert "/opt/mooring/server" not in answer["path"]
    assert docker("exec", name, "id", "-un") == "ma-user"
    assert docker("exec", name, "id", "-gn") == "ma-group"


def test_what_a_batch_service_needs_is_in_the_image(built):
    script = (
        "python3 --version && python --version && java -version && zip --version && unzip -v && test -r /home/run.sh"
    )
    docker("run", "--rm", "--entrypoint", "sh", built.tag, "-ec", script)


def test_the_server_is_the_first_process_and_ends_with_0_on_sigterm(built, start):
    name, _ = start(built.tag, "--env", "MOORING_LINGER_SECONDS=0")
    assert docker("exec", name, "readlink", "/proc/1/exe").rpartition("/")[2].startswith("python3")
    docker("stop", "--time", "20", name)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


def test_the_image_says_what_it_is(built):
    image = inspect(built.tag)
    config = image["Config"]
    assert config["Cmd"] == ["/bin/sh", "/home/run.sh"]
    assert not config["Entrypoint"]
    assert config["User"] == "1000:100"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert "PYTHONUNBUFFERED=1" in config["Env"]
    assert built.size == image["Size"]
    labels = config["Labels"]
    assert labels["io.mooring.edition"] == "otc-2022"
    told = json.loads(labels["io.mooring.config"])
    assert told["model_algorithm"] == "it's_knots"
    assert told["apis"][0]["request"]["data"]["required"] == ["speed"]


def test_an_edition_s_limits_reach_the_server(project, make):
    built = make(project, edition="otc-2025")
    environment = dict(entry.split("=", 1) for entry in inspect(built.tag)["Config"]["Env"])
    assert environment["MOORING_LINGER_SECONDS"] == "60"
    assert environment["MOORING_DRAIN_LIMIT_SECONDS"] == "90"
    assert environment["MOORING_KEEP_ALIVE_SECONDS"] == "200"
    assert environment["MOORING_PREDICT_TIMEOUT_SECONDS"] == "40"


def test_an_edited_handler_changes_the_code_and_nothing_below_it(tmp_path, project, make):
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    before = make(copy)
    (copy / "handler.py").write_text((copy / "handler.py").read_text() + "\n# edited\n")
    said = []
    begun = time.monotonic()
    after = make(copy, say=said.append)
    assert time.monotonic() - begun < 30  # about one, on a machine that does nothing else
    assert not any("sending" in line or "resolving" in line for line in said)
    old, new = (inspect(image.tag)["RootFS"]["Layers"] for image in (before, after))
    differing = [place for place, pair in enumerate(zip(old, new, strict=True)) if len(set(pair)) > 1]
    assert differing == [len(new) - 2]


def test_changed_weights_are_seen(tmp_path, project, make, start):
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    make(copy)
    (copy / "model" / "factor.txt").write_text("2")
    _, address = start(make(copy).tag)
    assert ask(address, {"speed": 3})["knots"] == 6


def test_the_same_files_give_the_same_layers_at_another_time_and_place_and_without_mooring(
    tmp_path, project, built, debian_base
):
    copy, out = tmp_path / "elsewhere", tmp_path / "out"
    shutil.copytree(project, copy)
    for file in copy.rglob("*"):
        os.utime(file, (1, 1))
        file.chmod(0o700 if file.is_dir() else 0o600)
    eject(Project.open(copy), out, Options(base=debian_base), builder=find_builder(), say=print)
    text = (out / "Dockerfile").read_text()
    assert text.startswith(f"FROM {debian_base}\n")
    assert "RUN" not in text
    tag = f"mooring-test-{uuid.uuid4().hex[:8]}:1"
    docker("build", "--no-cache", "--tag", tag, str(out))
    try:
        ours, theirs = inspect(built.tag), inspect(tag)
        assert theirs["RootFS"]["Layers"] == ours["RootFS"]["Layers"]
        assert theirs["Config"]["Cmd"] == ["/bin/sh", "/home/run.sh"]
        assert theirs["Config"]["Labels"] == ours["Config"]["Labels"]
    finally:
        docker("image", "rm", tag)


def test_nothing_is_ejected_into_the_project_itself(project, debian_base):
    with pytest.raises(Refused, match="inside of the project"):
        eject(Project.open(project), project / "out", Options(base=debian_base), builder=find_builder(), say=print)


def test_a_model_package_keeps_its_engine_inside_and_is_an_image_outside(tmp_path, project, make, start):
    model = tmp_path / "model"
    model.mkdir()
    (model / "factor.m").write_text("3")
    (model / "customize_service.py").write_text(
        "from model_service.python_model_service import XgSklServingBaseService\n\n"
        "class Service(XgSklServingBaseService):\n"
        "    def _preprocess(self, data):\n"
        "        return data\n"
        "    def _inference(self, data):\n"
        "        import thing\n"
        "        return {'path': self.model_path, 'factor': open(self.model_path).read(), 'thing': thing.VERSION}\n"
        "    def _postprocess(self, data):\n"
        "        return data\n"
    )
    dependency = {"package_name": "thing-1.0-py3-none-any.whl", "package_version": "", "restraint": ""}
    config = {
        "model_type": "Scikit_Learn",
        "model_algorithm": "knots",
        "runtime": "python3.7",
        "apis": json.loads((project / "config.json").read_text())["apis"],
        "dependencies": [{"installer": "pip", "packages": [dependency]}],
    }
    (model / "config.json").write_text(json.dumps(config))
    shutil.copy(project / "wheels" / "thing-1.0-py3-none-any.whl", model)
    (tmp_path / "requirements.txt").write_text("--no-index\n")
    built = make(tmp_path)
    told = json.loads(inspect(built.tag)["Config"]["Labels"]["io.mooring.config"])
    assert told["model_type"] == "Image"
    assert not {"dependencies", "runtime"} & set(told)
    name, address = start(built.tag)
    assert ask(address, {"speed": 1}) == {"path": "/home/project/model/factor.m", "factor": "3", "thing": "1.0"}
    assert not docker("exec", name, "find", "/home/project", "-name", "*.whl")
    assert "customize_service.py" in docker("exec", name, "ls", "/home/mind/model/"), "where the platform puts packages"
    docker("exec", name, "touch", "/home/project/scratch")  # packages write files beside themselves


def test_a_project_with_a_server_of_its_own_keeps_its_dockerfile_and_gets_the_labels(tmp_path, make, start):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    said = []
    built = make(root, say=said.append)
    config = inspect(built.tag)["Config"]
    assert json.loads(config["Labels"]["io.mooring.config"])["model_algorithm"] == "wind_scale"
    name, address = start(built.tag, "--env", "LINGER_SECONDS=0")
    assert ask(address, {"wind": 12.3}) == {"beaufort": 6, "name": "strong breeze"}
    docker("stop", "--time", "20", name)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


def test_a_broken_dockerfile_of_the_user_is_told_in_the_engine_s_words(tmp_path, make):
    root = scaffold(tmp_path / "wind", template="bring-your-own")
    (root / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY not-there /x\n")
    with pytest.raises(Refused, match="not-there"):
        make(root)


def test_two_builds_at_once_may_clear_the_same_old_foundation(tmp_path, project, make, debian_base):
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    make(copy)
    (copy / "model" / "factor.txt").write_text("2")
    both = threading.Barrier(2)

    class Together(DockerCli):
        def tags(self, name):
            found = super().tags(name)
            both.wait(60)  # both have seen the old one before either clears it
            return found

    names = [f"mooring-test-{uuid.uuid4().hex[:8]}:1" for _ in range(2)]
    base = Options(base=debian_base)
    try:
        with ThreadPoolExecutor(2) as pool:
            builds = [
                pool.submit(build, Project.open(copy), name, base, builder=Together(), say=print) for name in names
            ]
            assert [one.result().tag for one in builds] == names
    finally:
        forget(copy, names)


def test_a_foundation_that_another_build_clears_away_is_laid_again(tmp_path, project, cache, debian_base):
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    name = f"mooring-test-{uuid.uuid4().hex[:8]}:1"
    said = []

    class Hindered(DockerCli):
        cleared = False

        def build(self, context, *, tag, platform):
            if tag == name and not self.cleared:
                self.cleared = True
                self.untag(context.dockerfile.splitlines()[0].removeprefix("FROM "))
            super().build(context, tag=tag, platform=platform)

    try:
        built = build(Project.open(copy), name, Options(base=debian_base), builder=Hindered(), say=said.append)
        assert built.tag == name
        assert sum("once more" in line for line in said) == 1
    finally:
        forget(copy, [name])
