"""What an engine makes of the same layers: a container's files are the judge of how layers are laid on each other."""

import io
import tarfile
import uuid

import docker
import pytest
from doubles.archives import config_of, docker_save, file, folder, hard_link, layer, symlink

from mooring.image import EntryKind, archive_image

pytestmark = pytest.mark.engine

OLDER = (
    folder("app/"),
    file("app/replaced", "old"),
    file("app/deleted", "x"),
    file("app/deep/a", "1"),
    file("app/deep/b", "2"),
    file("opaque/gone", "x"),
    file("opaque/deep/gone", "x"),
    file("folder-to-file/inner", "x"),
    file("file-to-folder", "x"),
    folder("folder-to-link/"),
    file("folder-to-link/inner", "x"),
    symlink("link-to-folder", "app"),
    symlink("link-to-file", "app/replaced"),
    file("shared", "shared"),
    hard_link("first-link", "shared"),
    hard_link("second-link", "/first-link"),
    file("mode", "x", mode=0o6755, uid=1000, gid=100),
    folder("sticky/", uid=7),
    file("./dots/./file", "x"),
    symlink("absolute", "/app/replaced"),
    symlink("outside", "../../../etc"),
)
NEWER = (
    file("app/.wh.deleted"),
    file("app/replaced", "newer", mode=0o755),
    file("app/deep/.wh.a"),
    file("opaque/.wh..wh..opq"),
    file("opaque/new", "y"),
    file("folder-to-file", "now a file"),
    folder("file-to-folder/"),
    file("file-to-folder/inner", "y"),
    symlink("folder-to-link", "app"),
    folder("link-to-folder/"),
    file("link-to-folder/own", "y"),
    file("link-to-file", "a file of its own"),
    file(".wh.shared"),
    file(".wh.never-there"),
    folder("sticky/", uid=8),
)


@pytest.fixture
def container_files(engine, test_label):
    """What a container of the image sees, as the engine exports it."""
    client = docker.DockerClient(base_url=engine.address.url)
    names = []

    def files(path, name):
        client.images.load(path.read_bytes())
        names.append(name)
        key, _, value = test_label.partition("=")
        container = client.containers.create(name, ["none"], labels={key: value})
        exported = io.BytesIO(b"".join(container.export()))
        container.remove()
        with tarfile.open(fileobj=exported) as tar:
            return {f"/{member.name.strip('/')}": member for member in tar}

    yield files
    for name in names:
        client.images.remove(name, force=True)
    client.close()


def described(member, members):
    """Kind, size, mode, owner and target of a member; of the file itself for a hard link."""
    if member.islnk():
        member = members[f"/{member.linkname.strip('/')}"]
    if member.issym():
        return ("symlink", member.linkname)
    kind = "folder" if member.isdir() else "file"
    return (kind, 0 if member.isdir() else member.size, member.mode & 0o7777, member.uid, member.gid)


def ours(files, entry):
    if entry.kind is EntryKind.SYMLINK:
        return ("symlink", entry.target)
    real = files.resolve(entry.path)
    return (real.kind.value, real.size, real.mode, real.uid, real.gid)


def test_an_engine_sees_the_same_files_in_a_container(container_files, tmp_path):
    name = f"mooring-layers:{uuid.uuid4().hex[:8]}"
    layers = [layer(*OLDER), layer(*NEWER)]
    path = docker_save(tmp_path / "image.tar", layers, config_of(layers, Cmd=["none"]), names=[name])
    theirs = container_files(path, name)
    files = archive_image(path).read()
    made_by_the_engine = {"/.dockerenv", "/dev", "/dev/console", "/dev/pts", "/etc", "/etc/hostname"}
    made_by_the_engine |= {"/dev/shm", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/sys"}  # noqa: S108 - a name in a list
    seen = {place: described(one, theirs) for place, one in theirs.items() if place not in made_by_the_engine}
    assert {entry.path: ours(files, entry) for entry in files.entries()} == seen
