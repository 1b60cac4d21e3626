"""True of any bytes and any tree: readers give files or say what is wrong, and layers add up as a dict would."""

import gzip
import io
import itertools
import json
import tarfile
import zlib

from backports import zstd
from doubles import hostile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mooring.errors import MooringError
from mooring.image import EntryKind, File, MemoryImage, archive_image, layout_image

ROOMY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
numbers = itertools.count()

NAMES = st.sampled_from(
    ["a", "b", "c", "a/b", "a/b/c", "b/a", "../a", "/a", "./b/", "a//c", ".wh.a", "a/.wh.b", "a/.wh..wh..opq"]
)
TARGETS = st.sampled_from(["a", "b", "/a", "../b", "a/b", "..", ".", "", "c/../a"])
KINDS = st.sampled_from([b"0", b"1", b"2", b"3", b"5", b"6", b"7", b"L", b"K", b"x", b"g", b"S", b"Z", b"\0"])
FIELDS = st.one_of(
    st.none(),
    st.binary(min_size=12, max_size=12),
    st.integers(-(2**70), 2**90).map(hostile.base_256),
    st.integers(0, 5000).map(lambda size: b"%011o\0" % size),
)
KEYS = st.sampled_from(
    [
        "path",
        "linkpath",
        "size",
        "uid",
        "gid",
        "GNU__sparse__major",
        "GNU__sparse__minor",
        "GNU__sparse__realsize",
        "GNU__sparse__name",
        "GNU__sparse__size",
        "GNU__sparse__map",
        "SCHILY__xattr__security__capability",
    ]
)
VALUES = st.one_of(st.sampled_from([b"", b"0", b"1", b"a", b"../b", b"-1", b"9" * 30]), st.binary(max_size=20))


@st.composite
def entries(draw):
    """One entry, honest or not."""
    kind = draw(KINDS)
    data = draw(st.one_of(st.binary(max_size=40), st.just(b"x" * 600), st.dictionaries(KEYS, VALUES).map(records)))
    made = hostile.header(
        draw(NAMES).encode(),
        kind=kind,
        size=len(data),
        target=draw(TARGETS).encode(),
        gnu=draw(st.booleans()),
        size_field=draw(FIELDS) if draw(st.integers(0, 4)) == 0 else None,
    )
    return made + hostile.padded(data)


def records(values):
    return b"".join(hostile.record(key.replace("__", ".").encode(), value) for key, value in values.items())


ARCHIVES = st.one_of(
    st.binary(max_size=2000),
    st.lists(entries(), max_size=6).map(b"".join),
    st.lists(entries(), max_size=6).map(lambda made: b"".join(made) + hostile.END),
    st.tuples(st.lists(entries(), min_size=1, max_size=3).map(b"".join), st.integers(0, 3000)).map(
        lambda x: x[0][: x[1]]
    ),
)
PACKINGS = st.sampled_from([bytes, gzip.compress, zstd.compress])


@st.composite
def stored(draw):
    """A layer as stored: packed or not, and sometimes damaged after that."""
    data = draw(PACKINGS)(draw(ARCHIVES))
    if draw(st.integers(0, 3)) == 0 and data:
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw(st.binary(max_size=3)) + data[at + draw(st.integers(0, 3)) :]
    return data


def require_sound(image):
    """What was read can be looked at in every way there is."""
    files = image.read(lambda entry, stream: (entry.path, stream.read(3)))
    for entry in files.entries():
        assert entry.path.startswith("/")
        assert not {"", ".", ".."} & set(entry.path[1:].split("/"))
        assert files.get(entry.path) == entry
        resolved = files.resolve(entry.path)
        assert resolved is None or resolved.kind not in {EntryKind.SYMLINK, EntryKind.HARD_LINK}
        files.text(entry.path)
    assert 0 <= files.hidden_bytes <= files.size
    assert {note.value[0] for note in files.notes} == {note.entry.path for note in files.notes}
    assert all(entry.size >= later.size for entry, later in itertools.pairwise(files.largest(5)))


@ROOMY
@given(st.lists(stored(), min_size=1, max_size=3), st.booleans(), PACKINGS)
def test_any_layers_in_an_archive_are_files_or_an_error(tmp_path, layers, honest, pack):
    path = tmp_path / f"{next(numbers)}.tar"
    ids = [hostile.digest_of(unpacked(layer)) if honest else "sha256:" + "0" * 64 for layer in layers]
    hostile.saved(path, *layers, diff_ids=ids)
    path.write_bytes(pack(path.read_bytes()))
    try:
        require_sound(archive_image(path))
    except MooringError as error:
        assert error.message.isprintable()  # noqa: PT017 - either way there is something to hold it to


def unpacked(layer):
    try:
        return gzip.decompress(layer) if layer[:2] == b"\x1f\x8b" else zstd.decompress(layer)
    except (OSError, EOFError, zlib.error, zstd.ZstdError):
        return layer


@ROOMY
@given(st.one_of(stored(), st.binary(max_size=3000)))
def test_any_bytes_are_an_archive_or_an_error(tmp_path, data):
    path = tmp_path / f"{next(numbers)}.tar"
    path.write_bytes(data)
    try:
        require_sound(archive_image(path))
    except MooringError as error:
        assert error.message.isprintable()  # noqa: PT017 - the same


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just("0/layer.tar")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["Config", "Layers", "a"]), inner)
    ),
    max_leaves=8,
)
WORDS = st.sampled_from(
    [
        "schemaVersion",
        "mediaType",
        "manifests",
        "layers",
        "config",
        "digest",
        "size",
        "platform",
        "annotations",
        "os",
        "architecture",
        "rootfs",
        "diff_ids",
        "history",
        "created_by",
        "Env",
        "Cmd",
        "Labels",
        "ExposedPorts",
        "Volumes",
    ]
)


@st.composite
def altered(draw, document):
    """The document with some of its values replaced by anything, at any depth."""
    if draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    if isinstance(document, dict):
        made = {key: draw(altered(value)) for key, value in document.items() if draw(st.integers(0, 9))}
        return made | draw(st.dictionaries(WORDS, JSON, max_size=1))
    if isinstance(document, list):
        return [draw(altered(value)) for value in document]
    return document


@ROOMY
@given(st.data())
def test_any_documents_of_a_layout_are_an_image_or_an_error(tmp_path, data):
    folder = tmp_path / f"{next(numbers)}"
    settings_of = {
        "architecture": "amd64",
        "config": {"Env": ["A=1"], "Cmd": ["sh"], "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}},
        "history": [{"created_by": "x"}],
        "rootfs": {"diff_ids": []},
    }
    config = json.dumps(data.draw(altered(settings_of))).encode()
    hostile.layout(folder, hostile.entry(b"a", b"x"), config=config)
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(data.draw(altered(index))))
    try:
        image = layout_image(folder)
        assert isinstance(hash(image.config), int)
        require_sound(image)
    except MooringError as error:
        assert error.message.isprintable()  # noqa: PT017 - the same


@ROOMY
@given(st.data())
def test_any_documents_of_an_archive_are_an_image_or_an_error(tmp_path, data):
    path = tmp_path / f"{next(numbers)}.tar"
    manifest = [{"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["0/layer.tar"]}]
    config = json.loads(hostile.config_of(hostile.entry(b"a", b"x")))
    hostile.saved(
        path,
        hostile.entry(b"a", b"x"),
        manifest=json.dumps(data.draw(altered(manifest))).encode(),
        config=json.dumps(data.draw(altered(config))).encode(),
    )
    try:
        require_sound(archive_image(path))
    except MooringError as error:
        assert error.message.isprintable()  # noqa: PT017 - the same


PARTS = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
CHANGES = st.one_of(
    st.tuples(st.just("file"), PATHS),
    st.tuples(st.just("folder"), PATHS),
    st.tuples(st.just("whiteout"), PATHS),
    st.tuples(st.just("opaque"), PATHS),
)


def laid(tree, layer):
    """A naive model: `tree` maps every path to "file" or "folder"; whiteouts first, then what the layer adds."""
    tree = dict(tree)
    for what, path in layer:
        if what == "whiteout":
            tree = {old: kind for old, kind in tree.items() if old != path and not old.startswith(f"{path}/")}
        elif what == "opaque" and tree.get(path) == "folder":
            tree = {old: kind for old, kind in tree.items() if not old.startswith(f"{path}/")}
    for what, path in layer:
        if what not in {"file", "folder"}:
            continue
        parts = path.split("/")
        for depth in range(1, len(parts)):
            tree["/".join(parts[:depth])] = "folder"
        if what == "file":
            tree = {old: kind for old, kind in tree.items() if not old.startswith(f"{path}/")}
        tree[path] = what
    return tree


def as_layer(changes):
    """The same as members; what is twice in a layer is there once."""
    made = {}
    for what, path in changes:
        folder, _, name = path.rpartition("/")
        prefix = f"{folder}/" if folder else ""
        if what == "whiteout":
            made[f"{prefix}.wh.{name}"] = File()
        elif what == "opaque":
            made[f"{path}/.wh..wh..opq"] = File()
        else:
            made[path] = File(b"x", kind=EntryKind.FOLDER if what == "folder" else EntryKind.FILE)
    return made


@ROOMY
@given(st.lists(st.lists(CHANGES, max_size=5, unique_by=lambda change: change[1]), min_size=1, max_size=4))
def test_layers_add_up_as_they_would_in_a_dict(layers):
    tree = {}
    for layer in layers:
        tree = laid(tree, layer)

    files = MemoryImage(layers=[as_layer(layer) for layer in layers]).read()

    assert {entry.path[1:]: entry.kind.value for entry in files.entries()} == tree


TREES = st.dictionaries(
    st.lists(
        st.text("ab.é\n\udcff ", min_size=1, max_size=120).filter(lambda name: name.strip(".")), min_size=1, max_size=3
    ).map("/".join),
    st.one_of(st.binary(max_size=2000), st.sampled_from(["", "a", "/b", "../c"])),
    max_size=6,
)


@ROOMY
@given(TREES, st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), PACKINGS)
def test_a_tree_that_tarfile_writes_is_read_back_the_same(tmp_path, tree, form, pack):
    tree = {path: data for path, data in tree.items() if not any(other.startswith(f"{path}/") for other in tree)}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for path, data in tree.items():
            member = tarfile.TarInfo(path)
            member.type = tarfile.REGTYPE if isinstance(data, bytes) else tarfile.SYMTYPE
            member.size, member.linkname = (len(data), "") if isinstance(data, bytes) else (0, data)
            tar.addfile(member, io.BytesIO(data if isinstance(data, bytes) else b""))
    path = tmp_path / f"{next(numbers)}.tar"
    hostile.saved(path, pack(out.getvalue()), diff_ids=[hostile.digest_of(out.getvalue())])

    files = archive_image(path).read(lambda _, stream: stream.read())

    contents = {note.entry.path[1:]: note.value for note in files.notes}
    leaves = [entry for entry in files.entries() if entry.kind is not EntryKind.FOLDER]
    read = {
        entry.path[1:]: entry.target if entry.kind is EntryKind.SYMLINK else contents.get(entry.path[1:], b"")
        for entry in leaves
    }
    assert read == tree
