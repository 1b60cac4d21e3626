"""Which files of a project go into its image."""

import os
import socket

import pytest

from mooring.errors import NotFound, Refused
from mooring.project.tree import walk


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "project"
    (root / "model").mkdir(parents=True)
    (root / "handler.py").write_text("1")
    (root / "model" / "weights.bin").write_bytes(b"abc")
    return root


def paths(folder, **options):
    return [str(file.path) for file in walk(folder, **options)]


def test_files_come_in_the_order_of_their_names(folder):
    assert paths(folder) == ["handler.py", "model", "model/weights.bin"]


@pytest.mark.parametrize("name", [".git", ".venv", "__pycache__", ".mooring", "model/__pycache__", "tests", "wheels"])
def test_what_is_no_part_of_a_model_stays_out(folder, name):
    (folder / name).mkdir()
    (folder / name / "file").write_text("x")
    assert paths(folder) == ["handler.py", "model", "model/weights.bin"]


def test_a_folder_called_tests_further_down_is_part_of_the_code(folder):
    (folder / "lib" / "tests").mkdir(parents=True)
    assert "lib/tests" in paths(folder)


@pytest.mark.parametrize("pattern", ["data", "data/", "/data", "*.csv", "data/*.csv"])
def test_a_project_can_leave_out_more(folder, pattern):
    (folder / "data").mkdir()
    (folder / "data" / "big.csv").write_text("x")
    assert "data/big.csv" not in paths(folder, exclude=(pattern,))
    assert "handler.py" in paths(folder, exclude=(pattern,))


def test_a_link_within_the_project_stays_a_link(folder):
    (folder / "model" / "latest").symlink_to(folder / "model" / "weights.bin")
    (folder / "top").symlink_to("model/weights.bin")
    links = {str(file.path): file.link for file in walk(folder) if file.link}
    assert links == {"model/latest": "weights.bin", "top": "model/weights.bin"}


def test_a_link_that_leaves_the_project_is_refused_by_name(folder, tmp_path):
    (tmp_path / "secret").write_text("x")
    (folder / "model" / "innocent").symlink_to("../../secret")
    with pytest.raises(Refused, match=r"model/innocent is a link to \.\./\.\./secret, which is outside"):
        paths(folder)


def test_a_linked_folder_that_leaves_the_project_is_refused(folder):
    (folder / "model" / "etc").symlink_to("/etc")
    with pytest.raises(Refused, match="model/etc"):
        paths(folder)


def test_a_link_to_nowhere_is_refused(folder):
    (folder / "gone").symlink_to("nothing")
    with pytest.raises(Refused, match=r"gone .* does not exist"):
        paths(folder)


def test_links_in_a_circle_are_refused(folder):
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    with pytest.raises(Refused, match="a is a link"):
        paths(folder)


def test_a_link_into_what_is_left_out_is_refused(folder):
    (folder / ".venv").mkdir()
    (folder / ".venv" / "x.py").write_text("x")
    (folder / "x.py").symlink_to(".venv/x.py")
    with pytest.raises(Refused, match="left out of the image"):
        paths(folder)


def test_a_pipe_is_refused_by_name(folder):
    os.mkfifo(folder / "model" / "pipe")
    with pytest.raises(Refused, match="model/pipe is a pipe"):
        paths(folder)


def test_a_socket_is_refused_unless_it_is_excluded(folder, monkeypatch):
    monkeypatch.chdir(folder)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("s.sock")
        with pytest.raises(Refused, match=r"s\.sock is a socket"):
            paths(folder)
        assert "s.sock" not in paths(folder, exclude=("*.sock",))


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NotFound, match="not a folder"):
        paths(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["d", "d" * 200])
def test_folders_that_are_too_deep_are_refused(folder, name):
    at = os.open(folder / "model", os.O_RDONLY)
    for _ in range(120):
        os.mkdir(name, dir_fd=at)
        at, above = os.open(name, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    with pytest.raises(Refused, match=r"folders deep|cannot be read"):
        list(walk(folder))
