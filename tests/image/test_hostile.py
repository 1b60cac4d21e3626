"""Archives made to harm: reading them ends, in bounded memory, with a plain word, and leaves nothing behind."""

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from backports import zstd
from doubles import hostile
from doubles.hostile import END, entry, header, long_name, pax

from mooring.image import archive_image

READER = Path(__file__).parents[1] / "doubles" / "read_apart.py"
SECONDS = 100
# Imports take 35; what remains is for what an image holds. A million files need some 200.
MEBIBYTES = 300
GB = 1 << 30


class Case(NamedTuple):
    """A layer, and what is to be said of it: a pattern of the Invalid, or else of the oddity; neither: read plainly."""

    layer: bytes
    invalid: str = ""
    odd: str = ""
    paths: tuple = ()


def sparse_pax_1():
    more = {"GNU__sparse__major": b"1", "GNU__sparse__minor": b"0", "GNU__sparse__name": b"big"}
    return pax(**more, GNU__sparse__realsize=b"%d" % (100 * GB)) + entry(b"x", b"0\n".ljust(512, b"\0"))


LAYERS = {
    "a path that climbs": Case(
        entry(b"../../../../opt/escaped", b"x"), odd="leads out", paths=("/opt", "/opt/escaped")
    ),
    "a path that climbs in the midst": Case(entry(b"a/../../b", b"x"), odd="leads out", paths=("/b",)),
    "an absolute path": Case(entry(b"/etc/passwd", b"x"), paths=("/etc", "/etc/passwd")),
    "a folder named by dots": Case(entry(b"a/./b/../c", b"x"), paths=("/a", "/a/c")),
    "a name of dots": Case(entry(b"..", b"x"), odd="without a name"),
    "an empty name": Case(entry(b"", b"x"), odd="without a name"),
    "a symlink out of the root": Case(
        header(b"a", kind=b"2", target=b"../../../../etc") + entry(b"a/passwd", b"x"),
        odd="no folder",
        paths=("/a", "/a/passwd"),
    ),
    "a symlink out of the root, to a folder that is there": Case(
        header(b"a", kind=b"2", target=b"../../../../etc") + header(b"etc", kind=b"5") + entry(b"a/passwd", b"x"),
        paths=("/a", "/etc", "/etc/passwd"),
    ),
    "a hard link out of the root": Case(header(b"a", kind=b"1", target=b"../../../../etc/passwd"), odd="hard link"),
    "a hard link to nothing": Case(header(b"a", kind=b"1", target=b"b"), odd="hard link"),
    "a hard link to itself": Case(header(b"a", kind=b"1", target=b"a"), odd="hard link"),
    "hard links in a circle": Case(header(b"a", kind=b"1", target=b"b") + header(b"b", kind=b"1", target=b"a")),
    "symlinks in a circle": Case(header(b"a", kind=b"2", target=b"b") + header(b"b", kind=b"2", target=b"a")),
    "things put into symlinks in a circle": Case(
        header(b"a", kind=b"2", target=b"a/a") + entry(b"a/x", b"x"), odd="no folder"
    ),
    "things put into a file": Case(entry(b"a", b"x") + entry(b"a/b/c", b"x"), odd="no folder"),
    "the same name twice": Case(entry(b"a", b"x") + entry(b"a", b"y"), odd="twice"),
    "a device": Case(header(b"dev/sda", kind=b"4", mode=0o666), paths=("/dev", "/dev/sda")),
    "a pipe": Case(header(b"pipe", kind=b"6"), paths=("/pipe",)),
    "a device with content": Case(header(b"a", kind=b"3", size=512) + entry(b"b"), paths=("/a", "/b")),
    "an unknown type": Case(entry(b"a", b"x" * 600, kind=b"Z") + entry(b"b"), odd="unknown type", paths=("/b",)),
    "a name with a line feed and escapes": Case(entry(b"a\n\x1b[31m", b"x"), paths=("/a\n\x1b[31m",)),
    "a name that is not UTF-8": Case(entry(b"\xff\xfe", b"x"), paths=("/\udcff\udcfe",)),
    "a name with a NUL": Case(pax(path=b"a\0b") + entry(b"a"), invalid="NUL"),
    "a name of 100 KB": Case(pax(path=b"a" * 100_000) + entry(b"a"), invalid="100000"),
    "a long name of 100 KB": Case(long_name(b"a" * 100_000) + entry(b"a"), invalid="100000"),
    "a name that Linux does not take": Case(long_name(b"a" * 256) + entry(b"a"), invalid="256"),
    "a path of 2000 folders": Case(long_name(b"a/" * 2000) + header(b"a", kind=b"5"), invalid="folders"),
    "100,000 long names": Case(long_name(b"x" * 200) * 100_000, invalid="headers for one entry"),
    "100,000 PAX headers": Case(pax(path=b"x") * 100_000, invalid="headers for one entry"),
    "a PAX header of 8 GB": Case(header(b"p", kind=b"x", size=8 * GB - 1), invalid="plenty"),
    "a long name of 8 GB": Case(header(b"p", kind=b"L", size=8 * GB - 1), invalid="plenty"),
    "a PAX header that ends early": Case(header(b"p", kind=b"x", size=600) + b"20 path=a\n", invalid="ends"),
    "a PAX record that reaches beyond": Case(entry(b"p", b"9999 path=a\n", kind=b"x") + entry(), invalid="length"),
    "a PAX record of a huge length": Case(entry(b"p", b"9" * 500 + b" path=a\n", kind=b"x") + entry(), invalid="PAX"),
    "a PAX record of length 0": Case(entry(b"p", b"0 path=a\n", kind=b"x") + entry(), invalid="PAX"),
    "a PAX size that is none": Case(pax(size=b"-1") + entry(), invalid="size"),
    "a PAX size of 5000 digits": Case(pax(size=b"9" * 5000) + entry(), invalid="size"),
    "a negative size": Case(header(size_field=b"\xff" * 12), invalid="size is -1"),
    "a size of 2**80": Case(header(size_field=hostile.base_256(1 << 80)), invalid="size is"),
    "a size that is no number": Case(header(size_field=b"0x1000\0\0\0\0\0\0"), invalid="octal"),
    "an entry beyond the end": Case(header(size=5000) + b"x" * 512, invalid="ends"),
    "half a header": Case(entry() + header()[:200], invalid="ends"),
    "a wrong checksum": Case(entry() + header()[:-1] + b"x", invalid="checksum"),
    "noise": Case(bytes(range(256)) * 8, invalid="octal|checksum"),
    "something after the end": Case(entry() + END + entry(b"b"), odd="follows the end"),
    "nothing": Case(b""),
    "a header for all entries that follow": Case(pax(b"g", path=b"x") + entry(b"a", b"x"), odd="all following"),
    "a sparse file of 100 GB, old form": Case(hostile.old_gnu_sparse(b"big", 100 * GB) + END, paths=("/big",)),
    "a sparse file of 100 GB, PAX 0.0": Case(
        pax(GNU__sparse__size=b"%d" % (100 * GB), GNU__sparse__numblocks=b"0") + entry(b"big"), paths=("/big",)
    ),
    "a sparse file of 100 GB, PAX 0.1": Case(
        pax(GNU__sparse__size=b"%d" % (100 * GB), GNU__sparse__map=b"0,1", GNU__sparse__name=b"big")
        + entry(b"x", b"1"),
        paths=("/big",),
    ),
    "a sparse file of 100 GB, PAX 1.0": Case(sparse_pax_1(), paths=("/big",)),
    "a sparse file without end of its map": Case(
        hostile.signed(bytes(bytearray(header(b"a", kind=b"S", gnu=True))[:482]) + b"\1" + bytes(29))
        + b"\1" * 512 * 9000,
        invalid="map|real size",
    ),
    "a sparse map of 10**19 entries": Case(
        pax(GNU__sparse__major=b"1", GNU__sparse__minor=b"0", GNU__sparse__realsize=b"9")
        + entry(b"a", b"9999999999999999999\n".ljust(1024, b"\0")),
        invalid="map",
    ),
    "whiteouts of nothing": Case(
        entry(b".wh.") + entry(b".wh...") + entry(b".wh..") + entry(b"a"), odd="no", paths=("/a",)
    ),
    "whiteouts that climb": Case(entry(b"../../.wh.etc") + entry(b"a"), odd="leads out", paths=("/a",)),
}


def zeros_in(pack):
    """A file of 12 GB in a few hundred KB."""
    piece = pack(bytes(64 << 20))
    return pack(header(b"big", size_field=hostile.base_256(12 * GB))) + piece * 192


LONG = (b"n" * 240 + b"/") * 16 + b"x"
LARGE = {
    "a gzip bomb": (lambda: zeros_in(lambda data: hostile.deflated([data])), "unpacks to more than"),
    "a zstd bomb": (lambda: zeros_in(zstd.compress), "unpacks to more than"),
    "a gzip stream cut short": (lambda: gzip.compress(entry(b"a", bytes(5000)))[:-9], "ends in the midst"),
    "a zstd stream cut short": (lambda: zstd.compress(entry(b"a", bytes(5000)))[:-5], "ends in the midst"),
    "a gzip stream with a wrong sum": (lambda: gzip.compress(entry(b"a", b"x"))[:-8] + bytes(8), "damaged"),
    "a damaged gzip stream": (lambda: gzip.compress(entry(b"a", b"x"))[:20] + b"\xff" * 99, "damaged|ends"),
    "a zstd frame that asks for 2 GB": (
        lambda: (
            zstd.compress(
                entry(b"a", b"x"),
                options={
                    zstd.CompressionParameter.window_log: 31,
                    zstd.CompressionParameter.enable_long_distance_matching: 1,
                },
            )[:4]
            + bytes([0x00, 0xA8])
            + b"\0" * 20
        ),
        "zstd data cannot be unpacked",
    ),
    "a bzip2 stream": (lambda: b"BZh91AY&SY" + bytes(600), "bzip2"),
    "a million folders": (
        lambda: hostile.deflated(hostile.numbered(1_000_000, b"0000000/x", at=0), level=1),
        "entries",
    ),
    "names of 200 MB": (
        lambda: hostile.deflated((long_name(b"%07d" % n + LONG) + header() for n in range(50_000)), level=1),
        "names of more than",
    ),
}


def nested(depth=100_000):
    return b'{"a":' * depth + b"1" + b"}" * depth


def linked(folder, name, target):
    """A layout in which one file is a symlink to another place."""
    hostile.layout(folder, entry(b"a", b"x"))
    file = folder / name if name else max((folder / "blobs" / "sha256").iterdir(), key=lambda one: one.stat().st_size)
    file.unlink()
    file.symlink_to(target)
    return folder


def piped(folder, name):
    hostile.layout(folder, entry(b"a", b"x"))
    file = folder / name if name else max((folder / "blobs" / "sha256").iterdir(), key=lambda one: one.stat().st_size)
    file.unlink()
    os.mkfifo(file)
    return folder


def blobs_elsewhere(folder):
    hostile.layout(folder, entry(b"a", b"x"))
    (folder / "blobs").rename(folder.parent / f"{folder.name}-elsewhere")
    (folder / "blobs").symlink_to(folder.parent / f"{folder.name}-elsewhere")
    return folder


def changed(folder, change):
    """A layout whose layer is not what its digest says."""
    hostile.layout(folder, entry(b"a", b"x" * 5000))
    layer = max((folder / "blobs" / "sha256").iterdir(), key=lambda one: one.stat().st_size)
    layer.write_bytes(change(layer.read_bytes()))
    return folder


def naming(folder, **changes):
    """A layout whose manifest says something else of its layer."""
    hostile.layout(folder, entry(b"a", b"x"))
    index = json.loads((folder / "index.json").read_text())
    index["manifests"][0].update(changes)
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def manifest_of(**changes):
    return json.dumps([{"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["0/layer.tar"], **changes}]).encode()


SMALL = entry(b"a", b"x")
IMAGES = {
    "a manifest of 100 MB": (lambda p: hostile.saved(p, SMALL, manifest=b"[" + b" " * 100_000_000 + b"]"), "plenty"),
    "a manifest nested 100,000 deep": (lambda p: hostile.saved(p, SMALL, manifest=nested()), "too deep"),
    "a manifest of lists nested 100,000 deep": (lambda p: hostile.saved(p, SMALL, manifest=b"[" * 100_000), "too deep"),
    "a configuration nested 100,000 deep": (lambda p: hostile.saved(p, SMALL, config=nested()), "too deep"),
    "a manifest that is not JSON": (lambda p: hostile.saved(p, SMALL, manifest=b"\xff\xfe"), "not JSON"),
    "a number of 100,000 digits": (lambda p: hostile.saved(p, SMALL, manifest=b"[" + b"1" * 100_000 + b"]"), "JSON"),
    "a manifest that names a file outside": (
        lambda p: hostile.saved(p, SMALL, manifest=manifest_of(Layers=["../../../../etc/passwd"])),
        "missing",
    ),
    "a configuration outside": (
        lambda p: hostile.saved(p, SMALL, manifest=manifest_of(Config="../../etc/passwd")),
        "missing",
    ),
    "a configuration with a NUL": (lambda p: hostile.saved(p, SMALL, manifest=manifest_of(Config="a\0b")), "missing"),
    "a configuration with a control character": (
        lambda p: hostile.saved(p, SMALL, manifest=manifest_of(Config="\x1b[31m")),
        "missing",
    ),
    "a layer that is a number": (lambda p: hostile.saved(p, SMALL, manifest=manifest_of(Layers=[7])), "missing"),
    "a layer that is no archive": (lambda p: hostile.saved(p, b"x" * 5000), "layer 1"),
    "a layer that is not what was promised": (
        lambda p: hostile.saved(p, SMALL, diff_ids=["sha256:" + "0" * 64]),
        "digest",
    ),
    "50,000 layers": (
        lambda p: hostile.saved(
            p,
            SMALL,
            manifest=manifest_of(Layers=["0/layer.tar"] * 50_000),
            diff_ids=[hostile.digest_of(SMALL)] * 50_000,
        ),
        "layers",
    ),
    "a layer that is a link to itself": (
        lambda p: hostile.linked_layer(p, "0/layer.tar"),
        "missing",
    ),
    "a layer that is a link outside": (lambda p: hostile.linked_layer(p, "../../../../../etc/passwd"), "missing"),
    "10,000 files with long names": (hostile.crowded, "files|names"),
    "an archive cut short": (lambda p: hostile.cut(hostile.saved(p, SMALL, bytes(50_000))), "ends|no image"),
}
FOLDERS = {
    "an index nested 100,000 deep": (lambda p: hostile.with_index(p, nested()), "too deep"),
    "an index of 100 MB": (lambda p: hostile.with_index(p, b"{" + b" " * 100_000_000 + b"}"), "plenty"),
    "a blob named by a path": (lambda p: naming(p, digest="sha256:../../../../../etc/passwd"), "digest"),
    "a digest with a line feed": (lambda p: naming(p, digest="sha256:" + "0" * 64 + "\n"), "digest"),
    "a size that is negative": (lambda p: naming(p, size=-1), "size"),
    "a size that is no number": (lambda p: naming(p, size=1e308), "size"),
    "an index that is a symlink": (lambda p: linked(p, "index.json", "/etc/passwd"), "outside"),
    "a layer that is a symlink": (lambda p: linked(p, "", "/etc/passwd"), "outside"),
    "a layer that is a symlink to itself": (lambda p: linked(p, "", "loop"), ""),
    "a layer that is an endless device": (lambda p: linked(p, "", "/dev/zero"), "outside"),
    "blobs that lie elsewhere": (blobs_elsewhere, "outside"),
    "an index that is a pipe": (lambda p: piped(p, "index.json"), "regular|not a file|pipe"),
    "a layer that is a pipe": (lambda p: piped(p, ""), "regular|not a file|pipe"),
    "a layer that was changed": (lambda p: changed(p, lambda data: data[:-1] + b"x"), "digest"),
    "a layer that was cut": (lambda p: changed(p, lambda data: data[:-512]), "bytes"),
    "a layer that has grown": (lambda p: changed(p, lambda data: data + bytes(512)), "bytes"),
}


def read_apart(folder, paths):
    """Read these in an empty working folder, with empty folders for temporary files and for the user."""
    cwd, temporary, home = folder / "cwd", folder / "temporary", folder / "home"
    for made in (cwd, temporary, home):
        made.mkdir()
    told = subprocess.run(
        [sys.executable, READER, str(SECONDS), *map(str, paths)],
        env={**os.environ, "TMPDIR": str(temporary), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not told.returncode, told.stderr[-2000:]
    results = {result["path"]: result for result in map(json.loads, told.stdout.splitlines())}
    assert not [*cwd.iterdir(), *temporary.iterdir(), *home.iterdir()]
    return {Path(path).name: result for path, result in results.items()}


def matches(pattern, text):
    return re.search(pattern, text)


def slug(name):
    return "".join(sign if sign.isalnum() else "-" for sign in name)


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """Everything, read in one go: in archives, in the same archives packed, and in layouts."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for name, case in LAYERS.items():
        paths.append(hostile.saved(folder / f"{slug(name)}.tar", case.layer))
        packed = folder / f"{slug(name)}.tar.gz"
        packed.write_bytes(gzip.compress(paths[-1].read_bytes(), 1))
        paths.append(packed)
    paths += [make(folder / f"{slug(name)}.tar") for name, (make, _) in IMAGES.items()]
    for path in paths[-len(IMAGES) :]:
        packed = path.with_suffix(".tar.gz")
        packed.write_bytes(gzip.compress(path.read_bytes(), 1))
        paths.append(packed)
    paths += [make(folder / slug(name)) for name, (make, _) in FOLDERS.items()]
    paths += [hostile.saved(folder / f"{slug(name)}.tar", make()) for name, (make, _) in LARGE.items()]
    return read_apart(folder, paths)


def require_tame(result):
    assert result["outcome"] in {"read", "Invalid"}, result["message"]
    assert result["peak"] < MEBIBYTES
    assert len(result["message"]) < 2000
    assert result["message"].isprintable()


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_hostile_layer_is_read_rightly_or_refused(readings, name, suffix):
    case, result = LAYERS[name], readings[slug(name) + suffix]
    require_tame(result)
    if case.invalid:
        assert result["outcome"] == "Invalid"
        # What comes by once is taken for a layer only when it begins as one.
        assert matches(f"{case.invalid}|it is no archive", result["message"])
        assert "layer 1 of 1" in result["message"]
        return
    assert result["outcome"] == "read", result["message"]
    assert matches(case.odd, "\n".join(result["oddities"])) if case.odd else True
    assert set(result["paths"]) == set(case.paths) or not case.paths


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
@pytest.mark.parametrize("name", IMAGES)
def test_a_hostile_archive_is_refused(readings, name, suffix):
    _, pattern = IMAGES[name]
    result = readings[slug(name) + suffix]
    require_tame(result)
    assert result["outcome"] == "Invalid"
    assert matches(pattern, result["message"])


@pytest.mark.parametrize("name", FOLDERS)
def test_a_hostile_layout_is_refused(readings, name):
    _, pattern = FOLDERS[name]
    require_tame(readings[slug(name)])
    assert readings[slug(name)]["outcome"] == "Invalid"
    assert matches(pattern, readings[slug(name)]["message"])


@pytest.mark.parametrize("name", LARGE)
def test_a_layer_made_to_exhaust_is_refused(readings, name):
    _, pattern = LARGE[name]
    result = readings[f"{slug(name)}.tar"]
    require_tame(result)
    assert result["outcome"] == "Invalid"
    assert matches(pattern, result["message"])


def test_a_million_small_files_are_an_image_like_any_other(tmp_path):
    layer = hostile.deflated(hostile.numbered(1_000_000, b"home/app/data/0000000.txt", at=14, body=b"x"), level=1)
    image = hostile.saved(tmp_path / "image.tar", layer, diff_ids=[hostile.digest_of(gzip.decompress(layer))])

    result = read_apart(tmp_path, [image])["image.tar"]

    require_tame(result)
    assert (result["outcome"], result["count"], result["size"]) == ("read", 1_000_003, 1_000_000)


def test_of_two_manifests_the_last_counts_as_engines_read_it(tmp_path):
    other = manifest_of(Config="other.json")
    image = hostile.saved(tmp_path / "image.tar", SMALL, extra=[("manifest.json", other)])

    assert archive_image(image).config.cmd == ("sh",)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_what_an_older_layer_links_elsewhere_leads_nowhere_outside(tmp_path, pack):
    older = header(b"etc", kind=b"5") + header(b"up", kind=b"2", target=b"/../../etc")
    newer = entry(b"up/passwd", b"x") + header(b"hard", kind=b"1", target=b"up/passwd")
    ids = [hostile.digest_of(older), hostile.digest_of(newer)]
    image = archive_image(hostile.saved(tmp_path / "image.tar", pack(older), pack(newer), diff_ids=ids))

    files = image.read()

    assert {entry.path for entry in files.entries()} == {"/etc", "/up", "/etc/passwd", "/hard"}
    assert files.resolve("/hard").size == files.resolve("/up/passwd").size == 1
    assert files.resolve("/up/../up/passwd").path == "/etc/passwd"
