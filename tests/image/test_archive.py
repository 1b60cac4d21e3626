"""Archives and layouts: which image is in them, and what is wrong with them."""

import gzip
import json
import os
import platform

import pytest
from doubles.archives import (
    INDEX,
    LAYER,
    MANIFEST,
    Layout,
    config_of,
    digest_of,
    docker_save,
    file,
    folder,
    layer,
    packed,
)

from mooring.errors import Invalid, NotFound
from mooring.image import archive_image, layout_image

ONE = layer(file("one", "1"))
TWO = layer(file("two", "2"))
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OTHER = "arm64" if MACHINE == "amd64" else "amd64"
LINUX = {"os": "linux", "architecture": MACHINE}
ATTESTED = {
    "platform": {"os": "unknown", "architecture": "unknown"},
    "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
}


def named(name):
    return {"annotations": {"io.containerd.image.name": f"docker.io/library/{name}"}}


def paths(image):
    return [entry.path for entry in image.read().entries()]


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "layout")


def archive_of(path, *members):
    path.write_bytes(layer(*members))
    return path


def saved(path, manifest, **files):
    return archive_of(
        path, *(file(name, data) for name, data in files.items()), file("manifest.json", json.dumps(manifest))
    )


def test_a_layer_that_is_a_symlink_to_another_is_that_one(tmp_path):
    layers = [ONE, TWO, ONE]
    path = docker_save(tmp_path / "a.tar", layers, config_of(layers), shared={2})
    for image in (archive_image(path), archive_image(packed(path, "gzip"))):
        assert len(image.layers) == 3
        assert sorted(paths(image)) == ["/one", "/two"]


def test_what_is_stored_plain_is_known_by_its_digest_and_costs_a_registry_nobody_knows_what(tmp_path):
    image = archive_image(docker_save(tmp_path / "a.tar", [ONE], config_of([ONE], ["RUN one"])))
    assert image.layers[0].digest == digest_of(ONE)
    assert (image.layers[0].size, image.layers[0].created_by) == (len(ONE), "RUN one")
    assert (image.compressed_size, image.media_type, image.platforms) == (0, "", ())
    assert image.digest == digest_of(config_of([ONE], ["RUN one"]))


def test_a_saved_archive_with_both_forms_is_read_by_its_index(layout, tmp_path):
    config = config_of([ONE])
    manifest = layout.image([ONE], config)
    layout.finish(manifest)
    entry = {"Config": "blobs/sha256/none", "RepoTags": ["mnist:1"], "Layers": ["nowhere"]}
    path = layout.tar(tmp_path / "a.tar", file("manifest.json", json.dumps([entry])))
    for image in (archive_image(path), archive_image(packed(path, "zstd"))):
        assert (image.digest, image.media_type) == (manifest["digest"], MANIFEST)
        assert paths(image) == ["/one"]


def test_packed_layers_tell_what_a_registry_stores(layout):
    stored = gzip.compress(ONE)
    image = layout_image(layout.finish(layout.image([stored], config_of([ONE]))))
    assert image.compressed_size == len(stored)


def test_of_several_images_one_must_be_named(layout, tmp_path):
    layout.finish(
        layout.image([ONE], config_of([ONE]), **named("mnist:1")),
        layout.image([TWO], config_of([TWO]), **named("other:2")),
    )
    path = layout.tar(tmp_path / "a.tar")
    with pytest.raises(
        Invalid, match=r"several images: docker.io/library/mnist:1, docker.io/library/other:2"
    ) as raised:
        archive_image(path)
    assert raised.value.hint == f"name one: PATH#NAME, such as {path}#mnist:1"
    assert paths(archive_image(path, "other:2")) == ["/two"]
    assert paths(layout_image(layout.path, "docker.io/library/mnist:1")) == ["/one"]
    with pytest.raises(NotFound, match="no image nothing; it has"):
        archive_image(path, "nothing")


def test_of_several_images_in_dockers_form_one_must_be_named(tmp_path):
    entries = [{"Config": f"{n}.json", "RepoTags": [f"{n}:1"], "Layers": [f"{n}.tar"]} for n in ("one", "two")]
    files = {"one.json": config_of([ONE]), "two.json": config_of([TWO]), "one.tar": ONE, "two.tar": TWO}
    path = saved(tmp_path / "a.tar", entries, **files)
    with pytest.raises(Invalid, match="several images: one:1, two:1"):
        archive_image(path)
    assert paths(archive_image(path, "two:1")) == ["/two"]
    assert paths(archive_image(packed(path, "gzip"), "one:1")) == ["/one"]
    with pytest.raises(Invalid, match="several images: one:1, two:1"):
        archive_image(packed(path, "gzip")).read()


def test_two_names_of_one_image_are_one_image(layout):
    one = layout.image([ONE], config_of([ONE]))
    layout.finish({**one, **named("mnist:1")}, {**one, **named("mnist:latest")})
    assert paths(layout_image(layout.path)) == ["/one"]


def test_of_an_index_the_image_for_this_machine_is_taken_and_attestations_are_none(layout):
    mine = layout.image([ONE], config_of([ONE], architecture=MACHINE), platform=LINUX)
    other = layout.image([TWO], config_of([TWO]), platform={"os": "linux", "architecture": OTHER, "variant": "v8"})
    image = layout_image(layout.finish(layout.index(other, mine, {**mine, **ATTESTED})))
    assert image.media_type == INDEX
    assert image.platforms == (f"linux/{OTHER}/v8", f"linux/{MACHINE}")
    assert (image.digest, paths(image)) == (mine["digest"], ["/one"])


def test_of_an_index_in_an_index_and_of_platforms_side_by_side_too(layout):
    mine = layout.image([ONE], config_of([ONE]), platform=LINUX)
    other = layout.image([TWO], config_of([TWO]), platform={"os": "linux", "architecture": OTHER})
    assert paths(layout_image(layout.finish(layout.index(layout.index(other, mine))))) == ["/one"]
    image = layout_image(layout.finish(other, mine))
    assert (image.media_type, len(image.platforms), paths(image)) == (INDEX, 2, ["/one"])


def test_the_only_image_of_an_index_is_taken_whatever_it_is_for(layout):
    only = layout.image([ONE], config_of([ONE]), platform={"os": "linux", "architecture": "s390x"})
    image = layout_image(layout.finish(layout.index(only)))
    assert (image.platforms, paths(image)) == (("linux/s390x",), ["/one"])


def test_of_an_index_whose_images_are_not_all_there_one_that_is_there_is_taken(layout):
    there = layout.image([TWO], config_of([TWO]), platform={"os": "linux", "architecture": OTHER})
    missing = {"mediaType": MANIFEST, "digest": digest_of(b"gone"), "size": 4, "platform": LINUX}
    assert paths(layout_image(layout.finish(layout.index(missing, there)))) == ["/two"]


def test_an_index_that_holds_itself_is_refused(layout):
    deep = layout.index()
    for _ in range(6):
        deep = layout.index(deep)
    with pytest.raises(Invalid, match="index of indexes"):
        layout_image(layout.finish(deep))


def spoiled(layout, descriptor, data):
    (layout.path / "blobs" / descriptor["digest"].replace(":", "/")).write_bytes(data)


def test_a_layer_that_is_not_what_its_digest_promises_is_refused_by_both_digests(layout, tmp_path):
    layout.finish(layout.image([ONE, TWO], config_of([ONE, TWO])))
    spoiled(layout, {"digest": digest_of(TWO)}, ONE)
    path = layout.tar(tmp_path / "a.tar")
    for image in (layout_image(layout.path), archive_image(path), archive_image(packed(path, "gzip"))):
        with pytest.raises(Invalid, match=r"layer 2 of 2 ") as refused:
            image.read()
        assert digest_of(ONE) in refused.value.message
        assert digest_of(TWO) in refused.value.message


def test_a_packed_layer_in_dockers_form_is_held_against_its_digest_unpacked(tmp_path):
    entry = [{"Config": "c.json", "RepoTags": [], "Layers": ["1.tar"]}]
    path = saved(tmp_path / "a.tar", entry, **{"c.json": config_of([ONE]), "1.tar": gzip.compress(ONE)})
    assert paths(archive_image(path)) == ["/one"]
    path = saved(tmp_path / "b.tar", entry, **{"c.json": config_of([ONE]), "1.tar": gzip.compress(TWO)})
    with pytest.raises(Invalid, match="was promised"):
        archive_image(path).read()


def test_a_manifest_that_was_changed_is_refused(layout):
    manifest = layout.image([ONE], config_of([ONE]))
    layout.finish(manifest)
    spoiled(layout, manifest, b"{}")
    with pytest.raises(Invalid, match="digest"):
        layout_image(layout.path)


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize("packing", ["", "gzip", "zstd"])
def test_an_archive_that_ends_early_is_refused_wherever_it_does(tmp_path, packing, cut):
    big = layer(file("big", os.urandom(300_000)), file("more", os.urandom(300_000)))
    path = docker_save(tmp_path / "a.tar", [big, ONE], config_of([big, ONE]))
    path = packed(path, packing) if packing else path
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * cut)])
    with pytest.raises(Invalid, match=r"midst|no image"):
        archive_image(path).read()


def test_a_truncated_layer_is_named_with_its_entry(tmp_path):
    short = layer(file("first", "1"), file("second", "2" * 2000))[: 2 * 512 + 512 + 100]
    with pytest.raises(Invalid, match=r"layer 1 of 1 .*entry 2 \('second'\): the archive ends in the midst"):
        archive_image(docker_save(tmp_path / "a.tar", [short], config_of([short]))).read()


def test_layers_that_lie_elsewhere_are_refused(layout):
    foreign = {"mediaType": f"{LAYER.replace('layer', 'layer.nondistributable')}", "digest": digest_of(b"x"), "size": 1}
    manifest = {"schemaVersion": 2, "config": layout.blob(config_of([]), "config"), "layers": [foreign]}
    layout.finish(layout.blob(json.dumps(manifest).encode(), MANIFEST))
    with pytest.raises(Invalid, match="lies elsewhere"):
        layout_image(layout.path)


def test_what_leads_out_of_a_layout_is_refused(layout, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(ONE)
    layout.finish(layout.image([ONE], config_of([ONE])))
    blob = layout.path / "blobs" / digest_of(ONE).replace(":", "/")
    blob.unlink()
    blob.symlink_to(secret)
    with pytest.raises(Invalid, match="outside"):
        layout_image(layout.path).read()
    manifest = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": "sha256:../../secret", "size": 1}]}
    (layout.path / "index.json").write_text(json.dumps(manifest))
    with pytest.raises(Invalid, match="digest"):
        layout_image(layout.path)


def test_names_in_a_manifest_lead_nowhere_but_into_the_archive(tmp_path):
    entry = [{"Config": "../../../etc/hostname", "RepoTags": [], "Layers": ["/etc/passwd"]}]
    with pytest.raises(Invalid, match="missing"):
        archive_image(saved(tmp_path / "a.tar", entry, **{"c.json": "{}"}))


def test_pipes_and_folders_are_refused_at_once(layout, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Invalid, match="pipe"):
        archive_image(tmp_path / "pipe")
    with pytest.raises(Invalid, match="folder"):
        archive_image(tmp_path)
    os.mkfifo(layout.path / "index.json")
    with pytest.raises(Invalid, match="pipe"):
        layout_image(layout.path)


def test_what_is_not_there_is_not_found(tmp_path):
    for opener in (archive_image, layout_image):
        with pytest.raises(NotFound, match="does not exist"):
            opener(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([file("a", "1")], "holds no image"),
        ([file("manifest.json", "[]")], "lists no image"),
        ([file("manifest.json", "{")], "not JSON"),
        ([file("manifest.json", "[" * 100_000)], "nested too deep"),
        ([file("index.json", "[]")], "not a JSON object"),
        ([file("index.json", '{"manifests": []}')], "lists no image"),
        ([file("index.json", '{"manifests": 1}')], "manifests"),
        ([file("manifest.json", '[{"Config": 1, "Layers": []}]')], "without Config"),
        ([file("c", '{"rootfs": 1}'), file("manifest.json", '[{"Config": "c", "Layers": ["x"]}]')], "1 layers"),
        ([file("manifest.json", b" " * (5 << 20))], "are plenty"),
        ([folder("manifest.json")], "holds no image"),
    ],
)
def test_what_holds_no_image_is_refused_with_the_reason(tmp_path, members, said):
    path = archive_of(tmp_path / "a.tar", *members)
    with pytest.raises(Invalid, match=said):
        archive_image(path)
    with pytest.raises(Invalid, match=f"{said}|holds no image|not JSON"):
        archive_image(packed(path, "gzip")).read()


def test_what_a_packed_archive_holds_beside_its_image_is_forgotten(layout, tmp_path):
    layout.finish(layout.image([ONE], config_of([ONE])))
    layout.blob(b"\x1f\x8b no gzip at all", "damaged")
    layout.blob(layer(file("other", "x")), LAYER)
    image = archive_image(packed(layout.tar(tmp_path / "a.tar"), "gzip"))
    assert paths(image) == ["/one"]
    assert [note.value for note in image.read(lambda entry, _: entry.path).notes] == ["/one"]


def test_what_follows_the_end_of_a_layer_is_told(tmp_path):
    hiding = layer(file("a", "1")) + b"hidden".ljust(512)
    files = archive_image(docker_save(tmp_path / "a.tar", [hiding], config_of([hiding]))).read()
    assert [oddity.what for oddity in files.oddities] == [
        "something follows the end of the archive, which no runtime reads"
    ]


def test_of_two_images_of_one_short_name_the_hint_gives_the_whole_one(tmp_path):
    tags = ("a.example/mnist:1", "b.example/mnist:1")
    entries = [{"Config": f"{n}.json", "RepoTags": [tag], "Layers": [f"{n}.tar"]} for n, tag in enumerate(tags)]
    path = saved(
        tmp_path / "a.tar",
        entries,
        **{"0.json": config_of([ONE]), "1.json": config_of([TWO]), "0.tar": ONE, "1.tar": TWO},
    )
    with pytest.raises(Invalid) as raised:
        archive_image(path)
    wanted = raised.value.hint.partition("#NAME, such as ")[2].partition("#")[2]
    assert wanted == "a.example/mnist:1"
    assert paths(archive_image(path, wanted)) == ["/one"]


@pytest.mark.parametrize("content", [b"import torch\n", b"import torch\n" * 1000])
def test_a_file_that_is_no_archive_is_called_none(tmp_path, content):
    (tmp_path / "handler.py").write_bytes(content)
    with pytest.raises(Invalid, match=r"handler.py: this is no tar archive \(nor gzip, nor zstd\)"):
        archive_image(tmp_path / "handler.py")


def test_an_index_that_announces_another_size_is_refused_as_registries_do(layout):
    manifest = layout.image([ONE], config_of([ONE]))
    layout.finish({**manifest, "size": manifest["size"] + 1})
    with pytest.raises(Invalid, match=f"{manifest['size']} bytes, where {manifest['size'] + 1} were announced"):
        layout_image(layout.path)
