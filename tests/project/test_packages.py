"""Packages for an image, resolved and fetched here; from wheels that the tests make, so that no index is needed."""

import sys
import zipfile
from importlib.util import MAGIC_NUMBER

import pytest

from mooring.errors import Refused, Unavailable
from mooring.project import packages
from mooring.project.packages import Target, locked
from mooring.project.requirements import Requirements

LINUX = Target(
    python="3.11", platform="x86_64-manylinux_2_36", magic=MAGIC_NUMBER.hex(), folder="/opt/mooring/packages"
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MOORING_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / "wheels"
    folder.mkdir()
    return folder


def wheel(folder, name, version, *, tag="py3-none-any", needs=""):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {needs}\n" if needs else ""))
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")


def wanted(*lines):
    return Requirements(text="\n".join(("--no-index", *lines)) + "\n", origin="requirements.txt")


def lock(tmp_path, wheels, *lines, said=None, target=LINUX):
    said = said if said is not None else []
    return locked(wanted(*lines), tmp_path, target=target, find_links=[wheels], say=said.append)


def installed(text, root, *, find_links=(), target=LINUX, said=None):
    said = said if said is not None else []
    return packages.installed(text, root, target=target, find_links=find_links, say=said.append)


def test_a_lock_has_what_the_requirements_need_in_turn_and_lies_where_the_user_sees_it(tmp_path, wheels):
    wheel(wheels, "outer", "1.0", needs="inner>=2")
    wheel(wheels, "inner", "2.1")
    said = []
    text = lock(tmp_path, wheels, "outer", said=said)
    assert "outer==1.0" in text
    assert "inner==2.1" in text
    assert text.count("--hash=sha256:") == 2
    assert (tmp_path / "requirements.lock").read_text() == text
    assert any("requirements.lock" in line for line in said)


def test_a_lock_that_fits_is_used_as_it_is(tmp_path, wheels):
    wheel(wheels, "thing", "1.0")
    first = lock(tmp_path, wheels, "thing")
    said = []
    assert lock(tmp_path, wheels, "thing", said=said) == first
    assert said == []


def test_another_platform_has_another_lock(tmp_path, wheels):
    wheel(wheels, "thing", "1.0", tag="py3-none-manylinux_2_28_x86_64")
    wheel(wheels, "thing", "0.9", tag="py3-none-musllinux_1_2_x86_64")
    assert "thing==1.0" in lock(tmp_path, wheels, "thing")
    musl = Target(python="3.11", platform="x86_64-unknown-linux-musl", magic="", folder="/x")
    assert "thing==0.9" in lock(tmp_path, wheels, "thing", target=musl)


def test_a_new_version_alone_does_not_move_a_lock(tmp_path, wheels):
    wheel(wheels, "thing", "1.0")
    lock(tmp_path, wheels, "thing")
    wheel(wheels, "thing", "2.0")
    wheel(wheels, "more", "1.0")
    text = lock(tmp_path, wheels, "thing", "more")
    assert "thing==1.0" in text
    assert "more==1.0" in text


def test_a_locked_requirements_file_is_its_own_lock(tmp_path):
    own = Requirements(text="thing==1.0 --hash=sha256:00\n", origin="requirements.txt")
    assert locked(own, tmp_path, target=LINUX, find_links=[], say=print) == own.text
    assert not (tmp_path / "requirements.lock").exists()


def test_packages_are_installed_once_and_compiled_for_the_place_they_will_have(tmp_path, wheels):
    wheel(wheels, "thing", "1.0")
    text = lock(tmp_path, wheels, "thing")
    said = []
    folder = installed(text, tmp_path, find_links=[wheels], said=said)
    assert said == ["fetching and installing 1 package"]
    compiled = list(folder.glob("__pycache__/thing.*.pyc"))
    assert (folder / "thing.py").is_file()
    assert b"/opt/mooring/packages/thing.py" in compiled[0].read_bytes()
    (wheels / "thing-1.0-py3-none-any.whl").unlink()
    assert installed(text, tmp_path, find_links=[wheels], said=said) == folder
    assert len(said) == 1, "what lies in the cache takes no time"


def test_modules_for_another_python_are_left_as_they_are(tmp_path, wheels):
    wheel(wheels, "thing", "1.0")
    target = Target(python="3.9", platform=LINUX.platform, magic="00000000", folder=LINUX.folder)
    folder = installed(lock(tmp_path, wheels, "thing", target=target), tmp_path, target=target, find_links=[wheels])
    assert (folder / "thing.py").is_file()
    assert not list(folder.rglob("*.pyc"))


def test_a_wheel_with_another_hash_is_refused_and_leaves_nothing_behind(tmp_path, wheels):
    wheel(wheels, "thing", "1.0")
    text = f"--no-index\nthing==1.0 --hash=sha256:{'0' * 64}\n"
    with pytest.raises(Refused, match=r"(?i)hash"):
        installed(text, tmp_path, target=LINUX, find_links=[wheels])
    assert not list((tmp_path / "cache" / "packages").iterdir())


def test_a_package_that_is_source_only_is_refused_with_the_way_to_make_a_wheel(tmp_path, wheels):
    (wheels / "thing-1.0.tar.gz").write_bytes(b"")
    with pytest.raises(Refused) as caught:
        lock(tmp_path, wheels, "thing==1.0")
    assert "pip wheel" in caught.value.hint


def test_a_package_for_another_platform_is_refused(tmp_path, wheels):
    wheel(wheels, "thing", "1.0", tag="py3-none-win_amd64")
    with pytest.raises(Refused, match="thing"):
        lock(tmp_path, wheels, "thing")


def test_an_index_that_does_not_answer_is_told_apart_from_a_package_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    text = f"thing==1.0 --hash=sha256:{'0' * 64}\n"
    with pytest.raises(Unavailable) as caught:
        installed(f"--index-url http://127.0.0.1:9/simple\n{text}", tmp_path, target=LINUX)
    assert "mirror" in caught.value.hint


def test_the_interpreter_that_resolves_is_ours_and_not_one_the_project_brings(tmp_path, wheels):
    trap = tmp_path / ".venv" / "bin" / "python"
    trap.parent.mkdir(parents=True)
    trap.write_text(f'#!/bin/sh\ntouch {tmp_path}/ran\nexec {sys.executable} "$@"\n')
    trap.chmod(0o755)
    wheel(wheels, "thing", "1.0")
    lock(tmp_path, wheels, "thing")
    assert not (tmp_path / "ran").exists()
