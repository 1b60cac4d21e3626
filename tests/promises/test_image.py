"""What every image promises, wherever its bytes live. A source joins by adding one fixture."""

import gzip
import json
import threading
import uuid

import docker
import pytest
from backports import zstd
from doubles.archives import Layout, config_of, docker_save, file, folder, hard_link, layer, packed, symlink
from doubles.registry import Registry

from mooring.image import (
    EntryKind,
    File,
    ImageConfig,
    MemoryImage,
    archive_image,
    exported_image,
    layout_image,
    registry_image,
)

BIG = bytes(range(256)) * 8192
STEPS = ("COPY base", "-ENV GREETING=hello", "COPY application")
SETTINGS = {
    "Cmd": ["sh", "/home/run.sh"],
    "Env": ["PATH=/usr/bin:/bin", "GREETING=hello"],
    "Labels": {"a.b": "c"},
    "User": "1000",
    "WorkingDir": "/home",
}
OLDER = (
    folder("usr/"),
    symlink("bin", "usr/bin"),
    file("usr/bin/python3.11", b"\x7fELF" + BIG, mode=0o755),
    symlink("usr/bin/python3", "python3.11"),
    hard_link("usr/bin/python", "usr/bin/python3.11"),
    file("home/run.sh", "#!/bin/sh\nold\n"),
    file("home/data/one", "1"),
    file("home/data/two", "2"),
)
NEWER = (
    file("home/run.sh", "#!/bin/sh\nexec python3 server.py\n", mode=0o755),
    file("home/data/.wh..wh..opq"),
    file("home/data/three", "3"),
    file("usr/bin/.wh.python3"),
)
LAYERS = (layer(*OLDER), layer(*NEWER))
CONFIGURATION = config_of(LAYERS, STEPS, **SETTINGS)


def in_memory(_folder):
    kinds = {b"5": EntryKind.FOLDER, b"2": EntryKind.SYMLINK, b"1": EntryKind.HARD_LINK, b"0": EntryKind.FILE}

    def as_files(members):
        return {member.name: File(data, member.mode, kinds[member.type], member.linkname) for member, data in members}

    config = ImageConfig(
        architecture="amd64",
        cmd=("sh", "/home/run.sh"),
        env={"PATH": "/usr/bin:/bin", "GREETING": "hello"},
        labels={"a.b": "c"},
        user="1000",
        working_dir="/home",
        history=tuple(step.lstrip("-") for step in STEPS),
    )
    return MemoryImage(layers=[as_files(OLDER), as_files(NEWER)], config=config)


def saved(folder):
    return archive_image(docker_save(folder / "image.tar", LAYERS, CONFIGURATION))


def saved_gzip(folder):
    return archive_image(packed(docker_save(folder / "image.tar", LAYERS, CONFIGURATION), "gzip"))


def saved_zstd(folder):
    return archive_image(packed(docker_save(folder / "image.tar", LAYERS, CONFIGURATION), "zstd"))


def a_layout(folder, pack=lambda data: data):
    made = Layout(folder / "layout")
    made.finish(made.image([pack(data) for data in LAYERS], CONFIGURATION))
    return made


def in_layout(folder):
    return layout_image(a_layout(folder).path)


def in_layout_gzip(folder):
    return layout_image(a_layout(folder, gzip.compress).path)


def in_layout_zstd(folder):
    return layout_image(a_layout(folder, zstd.compress).path)


def in_oci_archive(folder):
    return archive_image(a_layout(folder, gzip.compress).tar(folder / "oci.tar"))


def in_oci_archive_gzip(folder):
    return archive_image(packed(a_layout(folder, gzip.compress).tar(folder / "oci.tar"), "gzip"))


def named(source):
    """A source by its name, the same in every run."""
    return getattr(source, "__name__", source)


SOURCES = (
    in_memory,
    saved,
    saved_gzip,
    saved_zstd,
    in_layout,
    in_layout_gzip,
    in_layout_zstd,
    in_oci_archive,
    in_oci_archive_gzip,
)


@pytest.fixture(scope="session")
def in_engine(engine, tmp_path_factory):
    """The image in the engine, under a name of its own, taken away at the end."""
    name = f"mooring-promise:{uuid.uuid4().hex[:8]}"
    path = docker_save(tmp_path_factory.mktemp("engine") / "image.tar", LAYERS, CONFIGURATION, names=[name])
    client = docker.DockerClient(base_url=engine.address.url)
    client.images.load(path.read_bytes())
    yield exported_image(
        name, engine.inspect_image(name), lambda: engine.export(name), history=engine.image_history(name)
    )
    client.images.remove(name, force=True)
    client.close()


@pytest.fixture
def in_registry(tmp_path):
    """The image in a registry that wants to know its readers, and keeps its blobs elsewhere."""
    with Registry(login="token", redirects=True) as registry:
        registry.image(*map(gzip.compress, LAYERS), config=json.loads(CONFIGURATION))
        entry = {"username": registry.user, "password": registry.password}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {registry.host: entry}}))
        yield registry_image(registry.name(), environ={"DOCKER_CONFIG": str(tmp_path)})


@pytest.fixture(params=[*SOURCES, "in_registry", pytest.param("in_engine", marks=pytest.mark.engine)], ids=named)
def image(request, tmp_path):
    """The same image, from each source."""
    return request.getfixturevalue(request.param) if isinstance(request.param, str) else request.param(tmp_path)


def test_it_says_how_its_containers_start(image):
    config = image.config
    assert config.command == ("sh", "/home/run.sh")
    assert (config.architecture, config.user, config.working_dir) == ("amd64", "1000", "/home")
    assert dict(config.env) == {"PATH": "/usr/bin:/bin", "GREETING": "hello"}
    assert dict(config.labels) == {"a.b": "c"}
    assert config.history == tuple(step.lstrip("-") for step in STEPS)


def test_its_layers_come_oldest_first_and_the_pass_says_what_each_holds(image):
    assert len(image.layers) == 2
    files = image.read()
    assert [one.unpacked for one in files.layers] == [len(BIG) + 4 + 14 + 2, 33 + 1]
    assert [one.entries for one in files.layers] == [8, 2]
    assert files.size == sum(one.unpacked for one in files.layers)
    assert image.digest.startswith("sha256:")


def test_a_container_would_see_the_same_files(image):
    files = image.read()
    assert [entry.path for entry in sorted(files.entries(), key=lambda entry: entry.path)] == [
        "/bin",
        "/home",
        "/home/data",
        "/home/data/three",
        "/home/run.sh",
        "/usr",
        "/usr/bin",
        "/usr/bin/python",
        "/usr/bin/python3.11",
    ]
    assert files.text("/home/run.sh") == b"#!/bin/sh\nexec python3 server.py\n"
    assert files.get("/home/run.sh").layer == 1
    assert files.which("python", "/nowhere:/bin").path == "/usr/bin/python"
    assert files.hidden_bytes == 14 + 2
    assert files.largest(1)[0].path == "/usr/bin/python3.11"
    assert files.oddities == ()


def test_the_inspector_reads_every_file_of_every_layer_once(image):
    def inspect(entry, stream):
        return len(stream.read()) if entry.size > 100 else stream.read()

    notes = {(note.entry.layer, note.entry.path): note for note in image.read(inspect).notes}
    assert {place: note.value for place, note in notes.items()} == {
        (0, "/usr/bin/python3.11"): len(BIG) + 4,
        (0, "/home/run.sh"): b"#!/bin/sh\nold\n",
        (0, "/home/data/one"): b"1",
        (0, "/home/data/two"): b"2",
        (1, "/home/run.sh"): b"#!/bin/sh\nexec python3 server.py\n",
        (1, "/home/data/three"): b"3",
    }
    assert [place for place, note in notes.items() if note.visible] == [
        (0, "/usr/bin/python3.11"),
        (1, "/home/run.sh"),
        (1, "/home/data/three"),
    ]


def test_an_inspector_need_not_read_to_the_end(image):
    notes = image.read(lambda _, stream: stream.read(1)).notes
    assert [note.value for note in notes] == [b"\x7f", b"#", b"1", b"2", b"#", b"3"]


def test_it_can_be_read_again(image):
    assert list(image.read().entries()) == list(image.read().entries())


def test_progress_only_grows_up_to_its_total(image):
    seen = []
    image.read(progress=seen.append)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert seen[-1].done > 0
    assert seen[-1].total in {0, seen[-1].done} or image.kind == "engine"


@pytest.mark.parametrize("error", [RuntimeError("no more"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_what_an_inspector_raises_ends_the_pass_and_its_threads(image, error):
    def inspect(_entry, _stream):
        raise error

    before = our_threads()
    with pytest.raises(type(error)):
        image.read(inspect)
    assert our_threads() <= before


def our_threads():
    """All but those in which a double answers."""
    return {thread for thread in threading.enumerate() if "process_request" not in thread.name}
