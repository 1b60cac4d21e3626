"""What a build sends: the same bytes for the same files, whoever made them and when."""

import io
import os
import tarfile

import pytest

from mooring.errors import Refused
from mooring.project.context import MTIME, Context, Item, Layer


def context(*items):
    return Context(dockerfile="FROM x\n", layers=(Layer(name="code", purpose="Code.", items=items),))


def packed(subject):
    stream = io.BytesIO()
    subject.write_tar(stream)
    return stream.getvalue()


def entries(subject):
    with tarfile.open(fileobj=io.BytesIO(packed(subject))) as tar:
        return {entry.name: entry for entry in tar}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "handler.py"
    path.write_text("x = 1\n")
    return path


def test_times_owners_and_modes_of_the_disk_do_not_count(file):
    subject = context(Item(path="home/project/handler.py", source=file))
    first = packed(subject)
    file.chmod(0o600)
    os.utime(file, (1, 1))
    assert packed(subject) == first
    entry = entries(subject)["code/home/project/handler.py"]
    assert (entry.mode, entry.uid, entry.mtime) == (0o644, 0, MTIME)


def test_the_order_in_which_files_were_found_does_not_count(file):
    one, two = Item(path="a/b", source=file), Item(path="a/c", content=b"y")
    assert packed(context(one, two)) == packed(context(two, one))


def test_every_folder_above_a_file_has_a_fixed_time_of_its_own(file):
    found = entries(context(Item(path="home/project/lib/x.py", source=file)))
    assert [name for name, entry in found.items() if entry.isdir()] == [
        "code",
        "code/home",
        "code/home/project",
        "code/home/project/lib",
    ]
    assert {entry.mtime for entry in found.values()} == {MTIME}


def test_a_file_that_became_a_link_since_it_was_looked_at_is_not_followed(file, tmp_path):
    (tmp_path / "secret").write_text("s")
    subject = context(Item(path="x", source=file))
    file.unlink()
    file.symlink_to("secret")
    with pytest.raises(Refused, match=r"handler\.py"):
        packed(subject)


def test_a_file_that_became_a_pipe_does_not_hang_the_build(file):
    subject = context(Item(path="x", source=file))
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(Refused, match="not a file any more"):
        packed(subject)


def test_a_folder_of_the_context_has_what_the_stream_has(file, tmp_path):
    subject = context(Item(path="run.sh", content=b"#!/bin/sh\n", executable=True), Item(path="lib/x.py", source=file))
    out = tmp_path / "out"
    out.mkdir()
    subject.write_folder(out)
    assert (out / "Dockerfile").read_text() == "FROM x\n"
    assert (out / "code" / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (out / "code" / "lib" / "x.py").read_text() == "x = 1\n"
    assert (out / "code" / "lib").stat().st_mtime == MTIME


def test_weights_are_shared_with_a_build_and_copied_for_good(file, tmp_path):
    file.chmod(0o644)
    subject = context(Item(path="weights", source=file))
    for name in ("shared", "copied"):
        (tmp_path / name).mkdir()
        subject.write_folder(tmp_path / name, share=name == "shared")
    assert (tmp_path / "shared" / "code" / "weights").stat().st_ino == file.stat().st_ino
    assert (tmp_path / "copied" / "code" / "weights").stat().st_ino != file.stat().st_ino


def test_a_file_nobody_else_may_read_is_copied_with_a_mode_the_container_can_read(file, tmp_path):
    file.chmod(0o600)
    out = tmp_path / "out"
    out.mkdir()
    context(Item(path="weights", source=file)).write_folder(out, share=True)
    assert (out / "code" / "weights").stat().st_mode & 0o777 == 0o644
    assert file.stat().st_mode & 0o777 == 0o600
