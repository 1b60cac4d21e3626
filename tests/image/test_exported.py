"""An image as an engine describes and writes it."""

import pytest
from doubles.archives import config_of, digest_of, docker_save, file, layer

from mooring.errors import Invalid, NotFound
from mooring.image import exported_image

LAYERS = [layer(file("one", "1")), layer(file("two", "2"))]
INSPECT = {
    "Id": "sha256:" + "1" * 64,
    "Architecture": "amd64",
    "Os": "linux",
    "Variant": "",
    "Size": 2,
    "Config": {"Cmd": ["sh"], "Entrypoint": None, "Env": ["A=b"], "Labels": None, "ExposedPorts": {"8080/tcp": {}}},
    "RootFS": {"Type": "layers", "Layers": [digest_of(one) for one in LAYERS]},
}
HISTORY = [
    {"CreatedBy": "COPY two", "Size": 1},
    {"CreatedBy": "ENV A=b", "Size": 0},
    {"CreatedBy": "COPY one", "Size": 1},
]


class Stream:
    """An archive in chunks, as a connection gives it."""

    def __init__(self, data):
        self._chunks = iter([data[at : at + 1000] for at in range(0, len(data), 1000)])
        self.closed = False

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._chunks)

    def close(self):
        self.closed = True


@pytest.fixture
def data(tmp_path):
    return docker_save(tmp_path / "a.tar", LAYERS, config_of(LAYERS)).read_bytes()


def test_it_is_described_before_it_is_read():
    image = exported_image("mnist:1", INSPECT, lambda: iter(()), history=HISTORY)
    assert (image.name, image.kind, image.digest) == ("mnist:1", "engine", INSPECT["Id"])
    assert [one.created_by for one in image.layers] == ["COPY one", "COPY two"]
    assert image.config.history == ("COPY one", "ENV A=b", "COPY two")
    assert (image.config.command, dict(image.config.env)) == (("sh",), {"A": "b"})
    assert (image.config.exposed_ports, image.config.entrypoint, dict(image.config.labels)) == (("8080/tcp",), (), {})
    assert (image.compressed_size, image.platforms, image.media_type) == (0, (), "")


def test_an_index_is_told_by_an_engine_that_knows_it():
    media_type = "application/vnd.oci.image.index.v1+json"
    assert exported_image("a", {"Descriptor": {"mediaType": media_type}}, lambda: iter(())).media_type == media_type


def test_the_stream_is_read_once_and_closed(data):
    stream = Stream(data)
    files = exported_image("mnist:1", INSPECT, lambda: stream).read()
    assert [entry.path for entry in files.entries()] == ["/one", "/two"]
    assert stream.closed


def test_a_stream_that_breaks_off_is_closed_and_named(data):
    stream = Stream(data[:2000])
    with pytest.raises(Invalid, match=r"the archive of mnist:1: .* in the midst"):
        exported_image("mnist:1", INSPECT, lambda: stream).read()
    assert stream.closed


def test_another_image_than_described_is_refused(data):
    inspect = {**INSPECT, "RootFS": {"Layers": [digest_of(LAYERS[0])]}}
    with pytest.raises(Invalid, match="other layers"):
        exported_image("mnist:1", inspect, lambda: Stream(data)).read()


@pytest.mark.engine
def test_what_an_engine_does_not_hold_is_not_found_by_its_name(engine):
    for ask in (engine.inspect_image, engine.image_history, engine.export):
        with pytest.raises(NotFound, match="mooring-none:1"):
            ask("mooring-none:1")
