"""Images as files, in every form that honest programs write: layers from a few members, and what goes around them."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from backports import zstd

LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def file(name, data=b"", **fields):
    """A regular file, as (header, content)."""
    data = data.encode() if isinstance(data, str) else data
    return _member(name, size=len(data), **fields), data


def folder(name, **fields):
    return _member(name, type=tarfile.DIRTYPE, mode=0o755, **fields), b""


def symlink(name, target):
    return _member(name, type=tarfile.SYMTYPE, linkname=target), b""


def hard_link(name, target):
    return _member(name, type=tarfile.LNKTYPE, linkname=target), b""


def _member(name, **fields):
    member = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def layer(*members, form=tarfile.PAX_FORMAT):
    """The archive of these members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for member, data in members:
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def digest_of(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config_of(layers, steps=(), *, architecture="amd64", **settings):
    """An image configuration; `layers` are unpacked, `steps` have a name each, None for those without a layer."""
    history = [{"created_by": step.lstrip("-"), "empty_layer": step.startswith("-")} for step in steps]
    return json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in layers]},
            "history": history,
        }
    ).encode()


def docker_save(path, layers, config, *, names=("mnist:1",), shared=()):
    """What `docker save` wrote up to 24: the configuration and manifest come last, shared layers are symlinks."""
    members, files = [], []
    for number, data in enumerate(layers):
        ident = hashlib.sha256(b"%d" % number + data).hexdigest()
        files.append(f"{ident}/layer.tar")
        members += [folder(f"{ident}/"), file(f"{ident}/VERSION", "1.0"), file(f"{ident}/json", "{}")]
        if number in shared:
            members.append(symlink(f"{ident}/layer.tar", f"../{files[layers.index(data)]}"))
        else:
            members.append(file(f"{ident}/layer.tar", data))
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": list(names), "Layers": files}]
    members += [file(name, config), file("manifest.json", json.dumps(manifest)), file("repositories", "{}")]
    Path(path).write_bytes(layer(*members))
    return path


class Layout:
    """An OCI layout being filled, in a folder."""

    def __init__(self, path):
        self.path = Path(path)
        (self.path / "blobs" / "sha256").mkdir(parents=True)
        (self.path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data, media_type, **more):
        """Put it there; its descriptor."""
        digest = digest_of(data)
        (self.path / "blobs" / digest.replace(":", "/")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def image(self, layers, config, **more):
        """An image of layers as they are to be stored; the descriptor of its manifest."""
        stored = [self.blob(data, LAYER + packing_suffix(data)) for data in layers]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(config, CONFIG), "layers": stored}
        return self.blob(json.dumps(manifest).encode(), MANIFEST, **more)

    def index(self, *manifests, **more):
        """An index of such descriptors as a blob; its descriptor."""
        return self.blob(
            json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode(), INDEX, **more
        )

    def finish(self, *manifests):
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
        return self.path

    def tar(self, path, *extra):
        """The folder as an archive."""
        with tarfile.open(path, "w") as tar:
            for name in sorted(self.path.rglob("*")):
                tar.add(name, str(name.relative_to(self.path)), recursive=False)
            for member, data in extra:
                tar.addfile(member, io.BytesIO(data))
        return path


def packing_suffix(data):
    return {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}.get(data[:2], "")


def packed(path, packing):
    """The archive at that path packed as a whole."""
    pack = {"gzip": gzip.compress, "zstd": zstd.compress}[packing]
    made = Path(f"{path}.{packing}")
    made.write_bytes(pack(Path(path).read_bytes()))
    return made
