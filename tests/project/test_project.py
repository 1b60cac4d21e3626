"""What kind of project a folder is."""

import json
import os

import pytest

from mooring.errors import Invalid, NotFound, Refused
from mooring.project import Kind, Project


def make(root, *names):
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"model_type": "Image", "model_algorithm": "x"}) if file.suffix == ".json" else "")
    return Project.open(root)


def test_a_handler_makes_a_handler_project_even_beside_a_dockerfile(tmp_path):
    assert make(tmp_path, "handler.py", "config.json", "Dockerfile").kind is Kind.HANDLER


def test_a_modelarts_package_is_recognised_as_it_is(tmp_path):
    project = make(tmp_path, "model/customize_service.py", "model/config.json")
    assert project.kind is Kind.CUSTOMIZE_SERVICE
    assert project.config_file == tmp_path / "model" / "config.json"
    assert project.package_folder == tmp_path / "model"


def test_a_model_folder_itself_may_be_given(tmp_path):
    project = make(tmp_path, "customize_service.py", "config.json")
    assert project.kind is Kind.CUSTOMIZE_SERVICE
    assert project.package_folder == tmp_path


def test_a_dockerfile_alone_brings_its_own_server(tmp_path):
    assert make(tmp_path, "Dockerfile", "config.json").kind is Kind.BRING_YOUR_OWN


def test_a_folder_with_nothing_to_serve_is_said_to_be_no_project(tmp_path):
    with pytest.raises(NotFound, match=r"no handler\.py"):
        Project.open(tmp_path)


def test_a_missing_config_is_told_when_it_is_needed(tmp_path):
    project = make(tmp_path, "handler.py")
    with pytest.raises(NotFound, match=r"no config\.json"):
        _ = project.config


def test_a_config_that_is_a_link_out_of_the_project_is_not_read(tmp_path):
    (tmp_path / "elsewhere.json").write_text("{}")
    root = tmp_path / "project"
    project = make(root, "handler.py")
    (root / "config.json").symlink_to("../elsewhere.json")
    with pytest.raises(Refused, match="leaves the project"):
        _ = project.config


def test_requirements_that_are_a_link_out_of_the_project_are_not_read(tmp_path):
    (tmp_path / "elsewhere.txt").write_text("numpy")
    root = tmp_path / "project"
    project = make(root, "handler.py", "config.json")
    (root / "requirements.txt").symlink_to("../elsewhere.txt")
    with pytest.raises(Refused, match="leaves the project"):
        _ = project.requirements


@pytest.mark.parametrize("name", ["requirements.txt", "config.json"])
def test_a_pipe_in_place_of_a_file_is_not_passed_over(tmp_path, name):
    project = make(tmp_path, "handler.py")
    os.mkfifo(tmp_path / name)
    with pytest.raises(Invalid, match=f"{name} is a pipe"):
        _ = project.requirements, project.config


def test_requirements_that_are_a_link_to_nowhere_are_not_passed_over(tmp_path):
    project = make(tmp_path, "handler.py")
    (tmp_path / "requirements.txt").symlink_to("gone.txt")
    with pytest.raises(Refused, match="link to nowhere"):
        _ = project.requirements


def test_a_file_where_the_folder_of_weights_should_be_is_refused_by_name(tmp_path):
    with pytest.raises(Refused, match="model is not a folder"):
        make(tmp_path, "handler.py", "config.json", "model")
    own = tmp_path / "own"
    assert make(own, "Dockerfile", "config.json", "model").kind is Kind.BRING_YOUR_OWN
