"""Where the digits to learn from come from: an .npz file, or MNIST's public IDX files; and how they are divided."""

import gzip
import hashlib
import io
import urllib.request
from pathlib import Path

import numpy as np

HOLD_OUT = 10_000
MIRRORS = ("https://storage.googleapis.com/cvdf-datasets/mnist", "https://ossci-datasets.s3.amazonaws.com/mnist")
_FILES = (
    ("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    ("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
)


def load(path):
    """Return (images uint8 [n, 28, 28], labels uint8 [n]) of an .npz file with these two names."""
    with np.load(path, allow_pickle=False) as data:
        images, labels = data["images"], data["labels"]
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
        raise ValueError(f"{path}: images are {images.dtype} {images.shape}, expected uint8 (n, 28, 28) and n labels")
    return images, labels


def download(folder, *, mirrors=MIRRORS):
    """Return the same from MNIST's public files, kept in `folder` for the next time. Raises OSError, ValueError."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = (parse_idx(gzip.decompress(_fetched(folder / name, sha256, mirrors))) for name, sha256 in _FILES)
    return images, labels


def _fetched(kept, sha256, mirrors):
    if kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == sha256:
        return kept.read_bytes()
    failures = []
    for mirror in mirrors:
        try:
            with urllib.request.urlopen(f"{mirror}/{kept.name}", timeout=60) as answer:  # noqa: S310 - the addresses are ours
                content = answer.read()
        except OSError as error:
            failures.append(f"{mirror}: {error}")
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            kept.write_bytes(content)
            return content
        failures.append(f"{mirror}: the file has another SHA-256 than {sha256}")
    raise OSError(f"{kept.name} could not be downloaded; " + "; ".join(failures))


def parse_idx(content):
    """Return the array in an IDX file's bytes: unsigned bytes only, which is all MNIST has. Raises ValueError.

    The format: two zero bytes, 8 for unsigned bytes, the number of dimensions, each dimension as a big-endian
    32-bit number, then the values.
    """
    header = io.BytesIO(content)
    start = header.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08":
        raise ValueError(f"not an IDX file of unsigned bytes: it starts with {start.hex(' ') or 'nothing'}")
    sizes = header.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise ValueError("the IDX file ends within its header")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    values = np.frombuffer(content, dtype=np.uint8, offset=header.tell())
    if values.size != np.prod(shape, dtype=np.int64):
        raise ValueError(f"the IDX file has {values.size} values, and its header says {shape}")
    return values.reshape(shape)


def divided(images, labels, *, hold_out=HOLD_OUT):
    """Return ((images, labels) to learn from, (images, labels) held out): always the same for the same data."""
    order = np.random.default_rng(2022).permutation(len(images))
    learn, held = order[hold_out:], order[:hold_out]
    return (images[learn], labels[learn]), (images[held], labels[held])
