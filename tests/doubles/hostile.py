"""Archives that are made to harm: written byte by byte, since no honest writer makes them."""

import hashlib
import io
import json
import tarfile
import zlib

BLOCK = 512
END = bytes(2 * BLOCK)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def header(name=b"a", *, kind=b"0", size=0, target=b"", mode=0o644, size_field=None, gnu=False, prefix=b""):  # noqa: PLR0913 - fields of a header
    """One header block with a right checksum; `size_field` are the twelve bytes that claim the size."""
    field = size_field if size_field is not None else b"%011o\0" % size
    magic = b"ustar  \0" if gnu else b"ustar\x0000"
    front = b"%-100b%07o\0%07o\0%07o\0" % (name, mode, 0, 0)
    front = name[:100].ljust(100, b"\0") + front[100:] + field + b"%011o\0" % 0
    rest = kind + target[:100].ljust(100, b"\0") + magic + bytes(80) + prefix
    block = (front + b" " * 8 + rest).ljust(BLOCK, b"\0")
    return signed(block)


def signed(block):
    """The block with its checksum put right."""
    total = sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
    return block[:148] + b"%06o\0 " % total + block[156:]


def padded(data):
    """Filled up to whole blocks."""
    return data + bytes(-len(data) % BLOCK)


def entry(name=b"a", data=b"", **fields):
    """A whole entry."""
    return header(name, size=len(data), **fields) + padded(data)


def long_name(name, kind=b"L"):
    """GNU's header for a long name (L) or link (K), before an entry."""
    return header(b"././@LongLink", kind=kind, size=len(name) + 1, gnu=True) + padded(name + b"\0")


def record(key, value):
    """One PAX record."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def pax(kind=b"x", **records):
    """A PAX header with these records; `__` in a key stands for a dot."""
    return entry(
        b"pax", b"".join(record(key.replace("__", ".").encode(), value) for key, value in records.items()), kind=kind
    )


def base_256(number):
    """A number of twelve bytes as GNU writes what does not fit octal digits; too large ones are cut."""
    return ((number & ((1 << 95) - 1)) | 1 << 95).to_bytes(12, "big")


def old_gnu_sparse(name, real_size):
    """A sparse file of GNU's first form: no data, one hole."""
    block = bytearray(header(name, kind=b"S", gnu=True))
    block[386:398] = b"%011o\0" % 0
    block[398:410] = b"%011o\0" % 0
    block[483:495] = b"%011o\0" % real_size if real_size < 1 << 33 else base_256(real_size)
    return signed(bytes(block))


def deflated(chunks, *, level=6):
    """The chunks as one gzip stream."""
    packer = zlib.compressobj(level, wbits=31)
    return b"".join([*map(packer.compress, chunks), packer.flush()])


def zeros(count):
    """So many zero bytes, a mebibyte at a time."""
    piece = bytes(1 << 20)
    for _ in range(count >> 20):
        yield piece
    yield bytes(count & ((1 << 20) - 1))


def numbered(count, name, *, at, body=b""):
    """Entries that differ in seven digits of their names, at that place, as fast as Python can write them."""
    template = bytearray(header(name, size=len(body)))
    template[at : at + 7] = bytes(7)
    bare = sum(template[:148]) + 8 * ord(" ") + sum(template[156:])
    content = padded(body)
    for start in range(0, count, 4000):
        out = bytearray()
        for number in range(start, min(start + 4000, count)):
            digits = b"%07d" % number
            template[at : at + 7] = digits
            template[148:154] = b"%06o" % (bare + sum(digits))
            out += template
            out += content
        yield bytes(out)


def digest_of(data):
    """sha256:..."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config_of(*layers, **more):
    """An image configuration for uncompressed layers."""
    settings = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]}}
    return json.dumps(
        {**settings, "rootfs": {"type": "layers", "diff_ids": list(map(digest_of, layers))}, **more}
    ).encode()


def saved(path, *layers, config=None, manifest=None, extra=(), diff_ids=None):
    """An archive as `docker save` makes it, of layers as stored; `manifest` takes the place of its own."""
    plain = [layer if layer[:2] != b"\x1f\x8b" else b"" for layer in layers]
    config = config if config is not None else config_of(*plain)
    if diff_ids is not None:
        config = json.dumps({**json.loads(config), "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    usual = [{"Config": "config.json", "RepoTags": ["x:1"], "Layers": names}]
    members = [*zip(names, layers, strict=True), ("config.json", config), *extra]
    members.append(("manifest.json", json.dumps(usual).encode() if manifest is None else manifest))
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def layout(folder, *layers, config=None, media_type="application/vnd.oci.image.layer.v1.tar"):
    """An OCI layout folder with one image, of layers as stored; its manifest's digest."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(data, kind):
        digest = digest_of(data)
        (folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(config or config_of(*layers), "application/vnd.oci.image.config.v1+json"),
        "layers": [blob(layer, media_type) for layer in layers],
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [blob(json.dumps(manifest).encode(), MANIFEST)]}
    (folder / "index.json").write_text(json.dumps(index))
    return index["manifests"][0]["digest"]


def linked_layer(path, target):
    """An archive whose one layer is a symlink."""
    usual = [{"Config": "config.json", "RepoTags": ["x:1"], "Layers": ["0/layer.tar"]}]
    parts = [
        header(b"0/layer.tar", kind=b"2", target=target.encode()),
        entry(b"config.json", config_of(b"")),
        entry(b"manifest.json", json.dumps(usual).encode()),
    ]
    path.write_bytes(b"".join(parts) + END)
    return path


def crowded(path):
    """An archive of 10,000 files with names of 4000 bytes, and no image."""
    with path.open("wb") as file:
        for number in range(10_000):
            file.write(long_name(b"%07d/" % number + b"n" * 3990) + header())
        file.write(END)
    return path


def cut(path):
    """The file without its second half."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def with_index(folder, index):
    """A layout with another index."""
    layout(folder, entry(b"a", b"x"))
    (folder / "index.json").write_bytes(index)
    return folder
