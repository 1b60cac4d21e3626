"""Write archives for a fuzzer to begin with: `python fuzz/seeds.py layer|archive FOLDER`."""

import gzip
import io
import json
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from doubles import hostile

PATHS = ("etc/", "etc/passwd", "x/.wh..wh..opq", "x/.wh.y", "n" * 150)


def written(form):
    """A layer as tarfile writes it, without the zeros at its end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for path in PATHS:
            member = tarfile.TarInfo(path)
            member.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            tar.addfile(member)
        for path, kind, target in (("l", tarfile.SYMTYPE, "../etc"), ("l/h", tarfile.LNKTYPE, "etc/passwd")):
            member = tarfile.TarInfo(path)
            member.type, member.linkname = kind, target
            tar.addfile(member)
    return hostile.padded(out.getvalue().rstrip(b"\0"))


def layers():
    """One of every kind of header."""
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        yield written(form)
        yield gzip.compress(written(form))
    yield hostile.old_gnu_sparse(b"s", 100 << 30) + hostile.entry(b"b", b"x")
    version = {"GNU__sparse__major": b"1", "GNU__sparse__minor": b"0", "GNU__sparse__realsize": b"1000"}
    yield hostile.pax(**version) + hostile.entry(b"a", b"1\n0\n3\n".ljust(512, b"\0") + b"xyz")
    yield hostile.pax(GNU__sparse__size=b"1000") + hostile.entry(b"a", b"xyz")
    yield hostile.long_name(b"y" * 100, b"K") + hostile.header(b"a", kind=b"2")
    yield hostile.pax(b"g", path=b"x") + hostile.entry(b"a", b"z")


def archives():
    """One of every form."""
    layer = hostile.entry(b"a", b"x")
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["l"]}]).encode()
    others = hostile.entry(b"config.json", hostile.config_of(layer)) + hostile.entry(b"manifest.json", manifest)
    yield hostile.entry(b"l", layer) + others
    yield others + hostile.entry(b"l", gzip.compress(layer))
    yield hostile.header(b"l", kind=b"2", target=b"m") + hostile.entry(b"m", layer) + others
    yield gzip.compress(others + hostile.entry(b"l", layer))


if __name__ == "__main__":
    made = layers() if sys.argv[1] == "layer" else archives()
    for number, data in enumerate(made):
        Path(sys.argv[2], f"seed-{number}").write_bytes(data)
