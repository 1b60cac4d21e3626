"""Packed streams: told by their first bytes, in however many pieces they come, and never believed."""

import gzip
import os

import pytest
from backports import zstd

from mooring.errors import Invalid
from mooring.image import unpacking
from mooring.image.unpacking import unpacked

TEXT = b"some text that packs well, " * 100_000 + os.urandom(100_000)


def read(stored, piece=1 << 20):
    chunks = (stored[at : at + piece] for at in range(0, len(stored), piece))
    return b"".join(unpacked(chunks, lambda: len(stored)))


@pytest.mark.parametrize("piece", [1, 7, 1 << 16, 1 << 22])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_the_content_comes_back_in_whatever_pieces_it_is_read(pack, piece):
    text = TEXT if piece > 1000 else TEXT[-20_000:]
    assert read(pack(text), piece) == text


def test_streams_of_several_members_are_read_to_the_last():
    assert read(gzip.compress(b"one", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(TEXT)) == b"one" + TEXT
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    assert read(skippable + zstd.compress(b"one") + skippable + zstd.compress(TEXT)) == b"one" + TEXT


def test_zeros_after_the_last_gzip_member_are_nothing():
    assert read(gzip.compress(b"one", mtime=0) + bytes(5000) + gzip.compress(b"two", mtime=0) + bytes(3)) == b"onetwo"


@pytest.mark.parametrize("piece", [100, 1 << 20])
@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_stream_that_ends_early_is_refused(pack, piece):
    with pytest.raises(Invalid, match="ends in the midst"):
        read(pack(TEXT)[:-5], piece)


@pytest.mark.parametrize(
    "stored",
    [gzip.compress(b"one", mtime=0) + b"garbage, and more of it", gzip.compress(TEXT, mtime=0)[:-8] + bytes(8)],
)
def test_gzip_data_that_is_damaged_is_refused(stored):
    with pytest.raises(Invalid, match="gzip data is damaged"):
        read(stored)


def test_zstd_data_that_is_damaged_or_wants_gigabytes_is_refused():
    damaged = bytearray(zstd.compress(TEXT))
    damaged[len(damaged) // 2] ^= 0xFF
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.checksum_flag: 1}
    packer = zstd.ZstdCompressor(options=options)
    wide = packer.compress(TEXT) + packer.flush()
    for stored in (zstd.compress(b"one") + b"garbage!", wide):
        with pytest.raises(Invalid, match="zstd data cannot be unpacked"):
            read(stored)


@pytest.mark.parametrize(("stored", "name"), [(b"BZh91AY&SY", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"PK\3\4..", "zip")])
def test_other_packings_are_named(stored, name):
    with pytest.raises(Invalid, match=name):
        read(stored)


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_what_unpacks_to_far_too_much_is_refused_before_it_does(pack, monkeypatch):
    monkeypatch.setattr(unpacking, "ALWAYS_ALLOWED_BYTES", 8 << 20)
    bomb = pack(bytes(64 << 20))
    chunks = []
    with pytest.raises(Invalid, match="250 times its stored size"):
        chunks.extend(unpacked(iter((bomb,)), lambda: len(bomb)))
    assert sum(map(len, chunks)) <= max(8 << 20, 250 * len(bomb))
    assert len(read(pack(bytes(4 << 20)))) == 4 << 20


def test_little_that_is_stored_is_little_that_comes():
    assert read(b"") == b""
    assert read(b"\x1f") == b"\x1f"
