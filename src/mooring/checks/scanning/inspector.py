"""One pass over a file by all scanners at once: read once, forwards, in blocks, whatever its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from mooring.checks.scanning.clamd import Antivirus, Clamd
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.pickles import PickleScan, Policy
from mooring.checks.scanning.place import Place
from mooring.checks.scanning.secret_scan import LONGEST_TEXT, secrets_in_file
from mooring.checks.scanning.signature_scan import EMBEDDED_PICKLE, SignatureScan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mooring.image.filesystem import Entry

BLOCK = 4 << 20
_HEAD = 512


class Scanner:
    """An inspector for `Image.read`: call it with each file, from as many threads as you like.

    `allowed` are modules and names that pickles may import besides the ordinary ones: `mymodel.*`, `__main__.Net`.
    `clamd` is the address of a clamd (`unix:/run/clamav/clamd.ctl`, `tcp:127.0.0.1:3310`), "" for none; Invalid when it
    is no address. Each call holds at most some blocks of 4 MiB.
    """

    def __init__(self, *, allowed: Sequence[str] = (), clamd: str = "") -> None:
        self._policy = Policy(tuple(allowed))
        self._clamd = Clamd(clamd) if clamd else None

    @property
    def antivirus(self) -> Antivirus | None:
        """How asking clamd went so far; None when none is configured."""
        return self._clamd.outcome if self._clamd else None

    def __call__(self, entry: Entry, stream: BinaryIO) -> tuple[Detection, ...] | None:
        """What was found in the file; None for nothing."""
        data = _block(stream)
        place = Place(entry.path, entry.mode, data[:_HEAD])
        signatures, pickles = SignatureScan(place), PickleScan(self._policy)
        antivirus = self._clamd.scan(entry.size) if self._clamd else None
        secrets = tuple(secrets_in_file(place, data)) if len(data) <= LONGEST_TEXT else ()
        while data:
            signatures.feed(data)
            pickles.feed(data)
            if antivirus:
                antivirus.feed(data)
            data = _block(stream) if len(data) == BLOCK else b""
        found = _without_repetition(signatures.finish(), pickles.finish())
        return (*found, *(antivirus.finish() if antivirus else ()), *secrets) or None


def scanner(*, allowed: Sequence[str] = (), clamd: str = "") -> Scanner:
    """A scanner for one pass over an image; Invalid when `clamd` is no address."""
    return Scanner(allowed=allowed, clamd=clamd)


def _block(stream: BinaryIO) -> bytes:
    """A whole block; less only at the end, although the stream may give less at a time."""
    data = stream.read(BLOCK)
    if not data or len(data) == BLOCK:
        return data
    pieces, size = [data], len(data)
    while size < BLOCK and (more := stream.read(BLOCK - size)):
        pieces.append(more)
        size += len(more)
    return b"".join(pieces) if len(pieces) > 1 else data


def _without_repetition(signatures: tuple[Detection, ...], pickles: tuple[Detection, ...]) -> tuple[Detection, ...]:
    """A pickle that was followed is told once, by the scanner that knows the names."""
    if any(each.severity is Severity.MALICIOUS for each in pickles):
        signatures = tuple(each for each in signatures if each.name != EMBEDDED_PICKLE)
    return (*signatures, *pickles)
