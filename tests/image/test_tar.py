"""Tar archives of every writer, read as tar and container runtimes read them."""

import io
import tarfile

import pytest
from doubles.archives import file, hard_link, layer, symlink
from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.errors import Invalid
from mooring.image.entry import EntryKind
from mooring.image.feed import Feed
from mooring.image.tar import TarReader

FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
CAPABILITY = {"SCHILY.xattr.security.capability": "\1\0\0\2\0\4\0\0"}


def read(archive, piece=1 << 20):
    """Every member with its stored content."""
    feed = Feed(archive[at : at + piece] for at in range(0, len(archive), piece))
    return [(member, feed.take(member.stored_size)) for member in TarReader(feed).members()]


def names(archive):
    return [member.name for member, _ in read(archive)]


def checksummed(block):
    total = sum(block[:148]) + 256 + sum(block[156:512])
    return block[:148] + b"%06o\0 " % total + block[156:]


def raw(name=b"a", kind=b"0", data=b"", *, magic=b"ustar\x0000", **fields):
    """One entry byte for byte; `fields` are offsets (`at_124`) and what to write there."""
    block = bytearray(512)
    for at, value in {0: name, 100: b"0000644\0", 124: b"%011o\0" % len(data), 156: kind, 257: magic}.items():
        block[at : at + len(value)] = value
    for at, value in fields.items():
        start = int(at.removeprefix("at_"))
        block[start : start + len(value)] = value
    return checksummed(bytes(block)) + data + bytes(-len(data) % 512)


def pax(kind=b"x", **records):
    lines = b""
    for key, value in records.items():
        body = f" {key.replace('__', '.')}={value}\n".encode("utf-8", "surrogateescape")
        length = next(n for n in range(len(body), len(body) + 9) if len(str(n)) + len(body) == n)
        lines += str(length).encode() + body
    return raw(b"pax", kind, lines)


NAMES = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=180).map(
    lambda name: name.strip("/") or "x"
)
MEMBERS = st.lists(
    st.one_of(
        st.builds(
            file,
            NAMES,
            st.binary(max_size=1500),
            mode=st.integers(0, 0o7777),
            uid=st.integers(0, (1 << 32) - 1),
            gid=st.integers(0, 70_000),
        ),
        st.builds(symlink, NAMES, NAMES),
        st.builds(hard_link, NAMES, NAMES),
    ),
    max_size=6,
)


@given(members=MEMBERS, form=st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]), piece=st.integers(100, 4000))
@settings(max_examples=200, deadline=None)
def test_it_reads_what_tarfile_writes_as_tarfile_reads_it(members, form, piece):
    archive = layer(*members, form=form)
    with tarfile.open(fileobj=io.BytesIO(archive), errors="surrogateescape") as theirs:
        expected = [
            (one.name, one.mode, one.uid, one.gid, one.linkname, theirs.extractfile(one).read() if one.isreg() else b"")
            for one in theirs
        ]
    assert [
        (one.name.rstrip("/"), one.mode, one.uid, one.gid, one.target, data) for one, data in read(archive, piece)
    ] == [(name.rstrip("/"), *rest) for name, *rest in expected]


@pytest.mark.parametrize("form", FORMS)
def test_long_names_and_links_are_whole(form):
    long = "/".join(["directory-of-some-length"] * 5) + "/file"
    target = "t" * 90 if form == "ustar" else "t" * 3000
    (member, data), (link, _) = read(layer(file(long, "content"), symlink("link", target), form=FORMS[form]))
    assert (member.name, data) == (long, b"content")
    assert (link.kind, link.target) == (EntryKind.SYMLINK, target)


def test_kinds_are_told_apart():
    kinds = [raw(kind=kind) for kind in (b"0", b"\0", b"7", b"1", b"2", b"3", b"4", b"5", b"6")]
    old_folder = raw(b"folder/", b"\0", magic=b"")
    assert [member.kind.value for member, _ in read(b"".join([*kinds, old_folder]))] == [
        *["file"] * 3,
        "hard link",
        "symlink",
        *["device"] * 2,
        "folder",
        "pipe",
        "folder",
    ]


def test_what_no_runtime_knows_is_passed_over_with_its_content_and_told():
    (odd, _), (member, data) = read(raw(kind=b"V", data=b"x" * 700) + raw(b"after", data=b"1"))
    assert odd.kind is None
    assert "b'V'" in odd.what
    assert (member.name, data) == ("after", b"1")


def test_what_is_no_file_has_no_content_whatever_its_header_claims():
    assert names(raw(b"d", b"5", at_124=b"00000001750\0") + raw(b"after")) == ["d", "after"]


def test_numbers_that_do_not_fit_octal_digits_are_read():
    big = (1 << 95 | (5 << 33)).to_bytes(12, "big")
    negative = b"\xff" * 8
    (member, _), *_ = read(raw(data=b"", at_124=b"00000000000\0", at_108=negative, at_116=b"\x80" + b"\xff" * 7))
    assert (member.uid, member.gid) == (0, 0xFFFF_FFFF)
    with pytest.raises(Invalid, match="in the midst"):
        read(raw(at_124=big))


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\x80" + b"\xff" * 11, b"-0000000001\0", b"0x10\0", b"00000000009\0", b"1_0\0"]
)
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(Invalid, match="size"):
        read(raw(at_124=size))


def test_checksums_are_held_against_the_header_signed_ones_too():
    block = bytearray(raw(b"caf\xe9\xe9\xe9"))
    signed = sum(block[:148]) + 256 + sum(block[156:512]) - 3 * 256
    block[148:156] = b"%06o\0 " % signed
    assert names(bytes(block)) == [b"caf\xe9\xe9\xe9".decode("utf-8", "surrogateescape")]
    block[0] ^= 1
    with pytest.raises(Invalid, match="checksum"):
        read(bytes(block))


def test_a_prefix_counts_where_its_form_has_one():
    assert names(raw(b"file", at_345=b"folder")) == ["folder/file"]
    assert names(raw(b"file", at_345=b"12345670123", magic=b"ustar  \0")) == ["file"]
    assert names(raw(b"file", at_345=b"folder", at_476=b"00000000000\0", at_508=b"tar\0")) == ["folder/file"]


def test_pax_records_take_the_headers_place():
    archive = pax(path="real/name", size="3", uid="4000000000", gid="-1", mtime="1.5") + raw(at_124=b"%011o\0" % 9)
    (member, data), *rest = read(archive + b"abc".ljust(512, b"\0") + raw(b"after"))
    assert (member.name, data, member.uid, member.gid) == ("real/name", b"abc", 4_000_000_000, 0)
    assert rest[0][0].name == "after"


def test_capabilities_are_seen():
    (plain, _), (able, _) = read(layer(file("a"), file("b", pax_headers=CAPABILITY)))
    assert (plain.capabilities, able.capabilities) == (False, True)


def test_a_header_for_all_entries_is_read_as_runtimes_do_not_at_all_and_told():
    (odd, _), (member, _) = read(pax(b"g", path="elsewhere", comment="x") + raw(b"name"))
    assert odd.kind is None
    assert "path" in odd.what
    assert member.name == "name"
    assert names(pax(b"g", comment="by git") + raw(b"name")) == ["name"]


@pytest.mark.parametrize(
    "body", [b"nonsense", b"99 path=x\n", b"8 path=x", b"7 path=x\n", b"9 path=\0x\n", b"5 =x\n", b" path=x\n"]
)
def test_pax_records_that_make_no_sense_are_refused(body):
    with pytest.raises(Invalid, match="PAX record"):
        read(raw(b"pax", b"x", body) + raw())


def test_sparse_files_of_all_forms_have_their_real_size_and_only_stored_bytes():
    real, stored = 100 << 30, b"end"
    old = raw(b"old", b"S", stored, magic=b"ustar  \0", at_482=b"\1", at_483=(1 << 95 | real).to_bytes(12, "big"))
    more = bytes(504) + b"\1" + bytes(7) + bytes(512)
    old = old[:512] + more + old[512:]
    zero = pax(GNU__sparse__size=str(real), GNU__sparse__offset="0") + raw(b"0.0", data=stored)
    one = pax(GNU__sparse__size=str(real), GNU__sparse__map="0,3", GNU__sparse__name="0.1") + raw(b"x/0.1", data=stored)
    mapped = b"1\n107374182397\n3\n".ljust(512, b"\0") + stored
    last = {"GNU__sparse__major": "1", "GNU__sparse__minor": "0", "GNU__sparse__name": "1.0"}
    newest = pax(**last, GNU__sparse__realsize=str(real)) + raw(b"x/1.0", data=mapped)
    found = read(old + zero + one + newest + raw(b"after", data=b"1"))
    assert [(member.name, member.size, data) for member, data in found] == [
        ("old", real, stored),
        ("0.0", real, stored),
        ("0.1", real, stored),
        ("1.0", real, stored),
        ("after", 1, b"1"),
    ]


def test_a_long_map_of_a_sparse_file_is_passed_over():
    pairs = b"".join(b"%d\n1\n" % (number * 4096) for number in range(500))
    mapped = (b"500\n" + pairs).ljust(-(-len(b"500\n" + pairs) // 512) * 512, b"\0") + b"x" * 500
    head = pax(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__realsize="5000000")
    (member, data), (after, _) = read(head + raw(b"s", data=mapped) + raw(b"after"))
    assert (member.size, data, after.name) == (5_000_000, b"x" * 500, "after")


@pytest.mark.parametrize("mapped", [b"x\n", b"99999999\n", b"1\n0\n", b"\n"])
def test_a_map_of_a_sparse_file_that_does_not_fit_is_refused(mapped):
    head = pax(GNU__sparse__major="1", GNU__sparse__minor="0", GNU__sparse__realsize="5000000")
    with pytest.raises(Invalid, match="map"):
        read(head + raw(data=mapped) + raw(b"after", data=bytes(5000)))


def test_a_sparse_file_cannot_hide_what_it_stores():
    with pytest.raises(Invalid, match="stored"):
        read(pax(GNU__sparse__size="1") + raw(data=b"much more"))


def test_an_archive_ends_at_its_zeros_or_where_nothing_follows():
    assert names(raw(b"a") + bytes(1024) + raw(b"hidden")) == ["a"]
    assert names(raw(b"a") + bytes(512)) == ["a"]
    assert names(raw(b"a", data=b"123")[: 512 + 3]) == ["a"]
    assert names(b"") == names(bytes(10240)) == []


@pytest.mark.parametrize("left", [1, 511, 512 + 700, 3 * 512 + 100])
def test_an_archive_that_ends_early_is_refused(left):
    archive = raw(b"a", data=b"x" * 1000) + raw(b"b")
    with pytest.raises(Invalid, match="in the midst"):
        read(archive[:left])


@pytest.mark.parametrize(
    ("archive", "said"),
    [
        (b"this is no archive at all".ljust(512), "checksum"),
        (raw(kind=b"L", at_124=b"77777777777\0"), "a header of 8589934591 bytes"),
        (raw(kind=b"L", data=b"x" * 5000) + raw(), "path of 5000"),
        (raw(kind=b"K", data=b"x" * 5000) + raw(kind=b"2"), "path of 5000"),
        (raw(kind=b"L", data=b"x") * 20 + raw(), "headers for one entry"),
        (raw(kind=b"L", data=b"x"), "in the midst"),
    ],
)
def test_what_no_honest_writer_makes_is_refused(archive, said):
    with pytest.raises(Invalid, match=said):
        read(archive)
