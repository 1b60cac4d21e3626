"""What is measured: an image of code and weights, made here, as an archive, packed, and in the engine."""

import contextlib
import hashlib
import io
import json
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MIB = 1 << 20
TAG = "mooring-bench-check:1"


@dataclass(frozen=True)
class Subject:
    """One way the image can be had; `unpacked` is in bytes, `word` what `mooring check` is told."""

    name: str
    word: str
    unpacked: int


def weights(mebibytes: int, *, seed: int) -> Iterator[bytes]:
    """Floating point numbers as a trained network has them: they hardly compress, and look like nothing."""
    numbers = np.random.default_rng(seed)
    for _ in range(mebibytes):
        yield (numbers.standard_normal(MIB // 4, dtype=np.float32) * 0.02).tobytes()


def write_archive(path: Path, *, tree: Path, copies: int, mebibytes: int) -> int:
    """A `docker save` archive of two layers: `tree` copied a few times over, and weights. Bytes unpacked."""
    code, model = path.with_suffix(".code"), path.with_suffix(".model")
    with tarfile.open(code, "w") as tar:
        for copy in range(copies):
            tar.add(tree, arcname=f"opt/packages-{copy}")
    with tarfile.open(model, "w") as tar:
        member = tarfile.TarInfo("home/project/model/weights.bin")
        member.size = mebibytes * MIB
        tar.addfile(member, Pieces(weights(mebibytes, seed=1)))
    unpacked = code.stat().st_size + model.stat().st_size
    layers = {file: _sha256(file) for file in (code, model)}
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/opt/packages-0/serve"], "Env": ["PATH=/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers.values()]},
            "history": [{"created_by": "COPY packages"}, {"created_by": "COPY weights"}],
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": [TAG], "Layers": [f"{d}/layer.tar" for d in layers.values()]}]
    with tarfile.open(path, "w") as tar:
        for file, digest in layers.items():
            tar.add(file, arcname=f"{digest}/layer.tar")
            file.unlink()
        for member, data in ((f"{name}.json", config), ("manifest.json", json.dumps(manifest).encode())):
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return unpacked


class Pieces(io.RawIOBase):
    """An iterator of pieces as a file, for tarfile."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        taken = bytearray()
        while len(taken) < size:
            self._rest = self._rest or next(self._pieces)
            part = self._rest[: size - len(taken)]
            taken += part
            self._rest = self._rest[len(part) :]
        return bytes(taken)


def pack(archive: Path, packed: Path) -> None:
    """The archive as gzip, at the speed level that `docker push` uses for layers."""
    packing = zlib.compressobj(1, zlib.DEFLATED, 31)
    with archive.open("rb") as source, packed.open("wb") as target:
        while piece := source.read(MIB):
            target.write(packing.compress(piece))
        target.write(packing.flush())


@contextlib.contextmanager
def in_engine(archive: Path) -> Iterator[str]:
    """The image's name in the engine while this lasts."""
    subprocess.run(("docker", "load", "--quiet", "--input", str(archive)), check=True, capture_output=True)
    try:
        yield TAG
    finally:
        subprocess.run(("docker", "rmi", "--force", TAG), check=True, capture_output=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
