"""Feed the readers of layers with what atheris thinks up: `python fuzz/read_layer.py [CORPUS]`, Ctrl-C to end.

Needs `pip install atheris` beside mooring. Whatever is no MooringError is a bug, and so is what takes longer than a
second (`-timeout=1`); the input that showed it becomes a test in tests/image/test_hostile.py.
"""

import sys

import atheris

with atheris.instrument_imports(include=["mooring.image"]):
    from mooring.errors import MooringError
    from mooring.image.feed import Feed
    from mooring.image.image import Layer
    from mooring.image.keeping import Allowance
    from mooring.image.merging import Merging
    from mooring.image.tar import TarReader
    from mooring.image.tar_header import BLOCK
    from mooring.image.unpacking import unpacked
    from mooring.image.walk import Walk

CHECKSUM = slice(148, 156)


def signed(data):
    """The same with right checksums on every block that claims to be a header: random ones would never get past."""
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    return b"".join(_signed(block) if len(block) == BLOCK and block[257:262] == b"ustar" else block for block in blocks)


def _signed(block):
    total = sum(block[: CHECKSUM.start]) + 8 * ord(" ") + sum(block[CHECKSUM.stop :])
    return block[: CHECKSUM.start] + b"%06o\0 " % total + block[CHECKSUM.stop :]


def read(data, number, merging):
    """One layer, in pieces of odd sizes."""
    pieces = (data[at : at + 777] for at in range(0, len(data), 777))
    feed = Feed(unpacked(pieces, lambda: len(data)))
    walk = Walk(number, lambda _, stream: stream.read(7), Allowance())
    try:
        for member in TarReader(feed).members():
            walk.visit(member, feed)
    finally:
        merging.add(number, walk.record, len(data))


def try_one(data):
    """The input as it is, and with checksums put right; the files that come of it are looked at."""
    for layer in (data, signed(data)):
        merging = Merging((Layer(), Layer()))
        try:
            read(layer[: len(layer) // 1024 * 512], 0, merging)
            read(layer[len(layer) // 1024 * 512 :], 1, merging)
            files = merging.filesystem()
        except MooringError:
            continue
        for entry in files.entries():
            assert entry.path.startswith("/")
            assert not {"", ".", ".."} & set(entry.path[1:].split("/"))
            files.resolve(entry.path)
            files.text(entry.path)
        assert files.size >= 0
        assert files.hidden_bytes >= 0


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
