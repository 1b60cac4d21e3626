"""YARA signatures of our own on the bytes of a file: whole where it is small, else in windows that overlap."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING

import yara_x

from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.yara_thread import LONGEST_SECONDS, PerThread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mooring.checks.scanning.place import Place

# Longer than whatever one pattern can match, so that none is lost between two windows.
OVERLAP = 4096
# The scanner of pickles says more of these, where it can read them.
EMBEDDED_PICKLE = "pickle_that_runs_code"

UNSEEN = {
    "severity": str(Severity.UNREADABLE),
    "description": f"a part of it could not be searched for signatures within {LONGEST_SECONDS} s",
}


@functools.cache
def rules() -> yara_x.Rules:
    """All signatures that ship with us, compiled once."""
    compiler = yara_x.Compiler()
    for source in sorted(signature_sources()):
        compiler.add_source(signature_sources()[source], origin=source)
    return compiler.build()


@functools.cache
def signature_sources() -> Mapping[str, str]:
    """The text of each signature file, by its name."""
    folder = files(__package__).joinpath("signatures")
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".yar")}


@functools.cache
def _scanners() -> PerThread:
    return PerThread(rules())


class SignatureScan:
    """One file, fed block by block; `finish` says which signatures were found in it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tail = b""
        self._found: dict[str, dict[str, str]] = {}

    def feed(self, data: bytes) -> None:
        """So many more bytes."""
        window = self._tail + data if self._tail else data
        try:
            matching = _scanners().scanner.scan(window).matching_rules
        except (yara_x.TimeoutError, yara_x.ScanError):
            self._found["unseen"] = UNSEEN
            matching = ()
        for rule in matching:
            self._found.setdefault(rule.identifier, {key: str(value) for key, value in rule.metadata})
        self._tail = window[-OVERLAP:]

    def finish(self) -> tuple[Detection, ...]:
        """Nothing more comes: the detections."""
        return tuple(self._detections(self._found)) if self._found else ()

    def _detections(self, found: Mapping[str, Mapping[str, str]]) -> Iterable[Detection]:
        for name, meta in found.items():
            if meta.get("only") == "scripts" and not self._place.is_started:
                continue
            severity, remark = Severity(meta["severity"]), ""
            if severity is Severity.MALICIOUS and self._place.is_read_only_text:
                severity, remark = (
                    Severity.SUSPICIOUS,
                    "; the file is a text or a list of signatures, which nothing runs",
                )
            yield Detection(scanner="yara", name=name, severity=severity, detail=f"{meta['description']}{remark}")
