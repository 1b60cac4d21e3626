"""One pass over an image's layers: unpacked, checked against their digests, walked, and merged, by several threads."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mooring.errors import Invalid
from mooring.image.ahead import Ahead
from mooring.image.feed import CHUNK_BYTES, Feed
from mooring.image.image import Layer, Progress
from mooring.image.keeping import Allowance
from mooring.image.merging import Merging
from mooring.image.tar import TarReader
from mooring.image.unpacking import unpacked
from mooring.image.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import Inspector
    from mooring.image.record import LayerRecord

# More would not help: one thread walks as fast as two decompress, and each layer being read has its share of memory.
MAX_THREADS = 4
ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, kw_only=True)
class StoredLayer:
    """A layer that can be read by itself: `chunks` starts at its first stored byte, whenever it is called.

    `size` is what is known of the stored bytes, 0 if nothing; `diff_id` is the digest of the unpacked archive, and is
    looked at only where the layer has no digest of its own. The generator that `chunks` gives is closed when it is not
    read to its end.
    """

    layer: Layer
    chunks: Callable[[], Iterator[bytes]]
    size: int = 0
    diff_id: str = ""


class Walked(NamedTuple):
    """A layer as read: what it holds, how many bytes were stored, and their digest ("" if none was made)."""

    record: LayerRecord
    stored: int
    digest: str


class _Cancelled(Exception):
    """Another layer has failed, or the user has lost patience."""


class Pass:
    """What all layers of one pass share: the inspector, the texts that may be kept, and how far it is."""

    def __init__(
        self, inspect: Inspector | None, progress: Callable[[Progress], None] | None = None, *, total: int = 0
    ) -> None:
        self.inspect = inspect
        self.allowance = Allowance()
        self.cancelled = threading.Event()
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    def counted(self, chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
        """The chunks, told to whom watches the progress; ends with an error when the pass is cancelled."""
        for chunk in chunks:
            if self.cancelled.is_set():
                raise _Cancelled
            with self._lock:
                self._done += len(chunk)
                if self._progress:
                    self._progress(Progress(done=self._done, total=self._total and max(self._total, self._done)))
            yield chunk

    def walk(
        self, number: int, stored: Iterator[bytes], *, digest: str = "", size: int = 0, diff_id: str = ""
    ) -> Walked:
        """Read one layer from its stored bytes, as far as it is known what they must be (see StoredLayer).

        Invalid, without the layer's name, when it is damaged, or not what its digest promises.
        """
        bytes_in = _Sum(digest, made=not diff_id)
        bytes_out = _Sum("" if digest else diff_id)

        def archive() -> Generator[bytes, None, None]:
            yield from bytes_out.of(unpacked(bytes_in.of(stored), lambda: max(bytes_in.count, size)))

        walk = Walk(number, self.inspect, self.allowance)
        with Ahead(archive()) as chunks:
            _walk_archive(walk, Feed(chunks))
        if size and bytes_in.count != size:
            raise Invalid(f"it has {bytes_in.count} bytes, where {size} were announced")
        bytes_in.require()
        bytes_out.require()
        return Walked(walk.record, bytes_in.count, bytes_in.digest)


class _Sum:
    """Counts the bytes that pass, and holds their digest against the one expected, if one is."""

    def __init__(self, expected: str, *, made: bool = False) -> None:
        self.count = 0
        self._expected = expected
        self._algorithm = expected.partition(":")[0] or "sha256"
        if self._algorithm not in ALGORITHMS:
            raise Invalid(f"its digest is {expected[:100]!r}; digests are read in {', '.join(ALGORITHMS)}")
        self._hash = hashlib.new(self._algorithm, usedforsecurity=False) if expected or made else None

    @property
    def digest(self) -> str:
        """The digest of what has passed; "" if none is made."""
        return f"{self._algorithm}:{self._hash.hexdigest()}" if self._hash else ""

    def of(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The chunks as they come."""
        for chunk in chunks:
            self.count += len(chunk)
            if self._hash:
                self._hash.update(chunk)
            yield chunk

    def require(self) -> None:
        """Invalid, naming both digests, when the bytes are not those expected."""
        if self._expected and self.digest != self._expected:
            raise damage(self.digest, self._expected)


def damage(found: str, expected: str) -> Invalid:
    """The error of bytes that are not what a digest promises."""
    return Invalid(
        f"its bytes have the digest {found}, and {expected[:200]} was promised",
        hint="the copy is damaged, or was changed; fetch or save the image again",
    )


def _walk_archive(walk: Walk, feed: Feed) -> None:
    reader = TarReader(feed)
    try:
        for member in reader.members():
            walk.visit(member, feed)
    except Invalid as error:
        raise Invalid(f"{reader.where}: {error.message}", hint=error.hint) from error
    # The digest is of everything, and runtimes do not look at what follows the end either.
    while rest := feed.some(CHUNK_BYTES):
        if rest.count(0) != len(rest):
            walk.record.odd("/", "something follows the end of the archive, which no runtime reads")
            break
    while feed.some(CHUNK_BYTES):
        pass


def read_layers(
    layers: Sequence[StoredLayer],
    inspect: Inspector | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
    threads: int = 0,
) -> Filesystem:
    """All layers, each read by itself, several at a time (as many as there are processors, 2 to 4, if not said).

    Invalid, naming the layer, when one cannot be read. Whatever one thread raises ends the others, and is raised once
    they have ended.
    """
    sizes = [source.size or source.layer.size for source in layers]
    whole = Pass(inspect, progress, total=sum(sizes) if all(sizes) else 0)
    plain = tuple(source.layer for source in layers)
    merging = Merging(plain)
    lock = threading.Lock()

    def one(number: int) -> None:
        with named(number, plain):
            walked = _read_layer(whole, number, layers[number])
        with lock:
            merging.add(number, walked.record, walked.stored)

    # The largest first: else it might be begun last, and one thread read it while the others have nothing left to do.
    order = sorted(range(len(layers)), key=lambda number: -sizes[number])
    _run(one, order, whole, threads or min(max(os.cpu_count() or 2, 2), MAX_THREADS))
    return merging.filesystem()


def _read_layer(whole: Pass, number: int, source: StoredLayer) -> Walked:
    """One layer from its source, which is closed whatever happens."""
    chunks = source.chunks()
    try:
        return whole.walk(
            number, whole.counted(chunks), digest=source.layer.digest, size=source.size, diff_id=source.diff_id
        )
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _run(one: Callable[[int], None], order: Sequence[int], whole: Pass, threads: int) -> None:
    """Do `one` for all numbers, some at a time; the first failure, or Ctrl-C, cancels the pass and is raised."""
    with ThreadPoolExecutor(threads, "mooring-layer") as pool:
        running = [pool.submit(one, number) for number in order]
        try:
            for done in as_completed(running):
                done.result()
        except BaseException:
            whole.cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def named(number: int, layers: Sequence[Layer]) -> Iterator[None]:
    """Says in an Invalid which layer it is about."""
    try:
        yield
    except Invalid as error:
        digest = layers[number].digest
        which = f"layer {number + 1} of {len(layers)}{f' ({digest})' if digest else ''}"
        raise Invalid(f"{which}: {error.message}", hint=error.hint) from error
