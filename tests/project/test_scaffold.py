"""From a template to a folder, whole or not at all."""

import pytest

from mooring.errors import Conflict, NotFound
from mooring.project import Project, scaffold, templates


def test_every_template_becomes_a_project(tmp_path):
    assert {"mnist", "tabular", "customize-service", "bring-your-own"} <= set(templates())
    for name in templates():
        made = scaffold(tmp_path / "deep" / name, template=name)
        assert Project.open(made).config.apis
        assert (made / "README.md").is_file()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("x")
    with pytest.raises(Conflict, match="not an empty folder"):
        scaffold(tmp_path, template="bring-your-own")
    assert [entry.name for entry in tmp_path.iterdir()] == ["mine"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path):
    target = tmp_path / "empty"
    target.mkdir()
    before = target.stat().st_ino
    scaffold(target, template="bring-your-own")
    assert target.stat().st_ino == before
    assert (target / "server.py").is_file()


def test_nothing_but_the_project_is_left_beside_it(tmp_path):
    scaffold(tmp_path / "wind", template="bring-your-own")
    assert [entry.name for entry in tmp_path.iterdir()] == ["wind"]


def test_caches_of_a_template_that_was_tested_are_not_copied(tmp_path):
    for name in templates():
        made = scaffold(tmp_path / name, template=name)
        assert not [path for path in made.rglob("*") if path.name in {"__pycache__", ".pytest_cache"}]


def test_a_template_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    with pytest.raises(NotFound, match="minst") as caught:
        scaffold(tmp_path / "x", template="minst")
    assert "mnist" in caught.value.hint


def test_a_template_cannot_be_a_path(tmp_path):
    with pytest.raises(NotFound):
        scaffold(tmp_path / "x", template="../templates/mnist")
