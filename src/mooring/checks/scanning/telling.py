"""From detections to findings: which file, in which layer, made by which step; the first ones, and how many more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.scanning.secret_scan import masked
from mooring.contract import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mooring.checks.scanning.detection import Detection
    from mooring.image import Entry, Note

SHOWN = 20
LONGEST_STEP = 120
DOCUMENT = "modelarts_23_0219"
# How the builder of old names what it copies.
_DIGEST = re.compile(r"\b(?:file|multi|dir):[0-9a-f]{64}")


def told(
    notes: Iterable[Note],
    steps: tuple[str, ...],
    wanted: Callable[[Detection], Level | None],
    *,
    expected: str,
    hint: str,
) -> Iterator[Finding]:
    """One finding for each detection that `wanted` gives a level; the first ones, and one that counts the others."""
    found = [
        (level, note, detection)
        for note in notes
        for detection in note.value
        if (level := wanted(detection)) is not None
    ]
    found.sort(key=lambda each: (each[0].rank, each[1].entry.path, each[1].entry.layer))
    for level, note, detection in found[:SHOWN]:
        message = f"{printable(note.entry.path)}: {detection.detail}{place(note, steps)}"
        yield Finding(
            level=level,
            message=message,
            expected=expected,
            document=DOCUMENT,
            hint=hint,
            source=printable(note.entry.path),
        )
    if len(found) > SHOWN:
        yield Finding(level=found[SHOWN][0], message=f"and {len(found) - SHOWN} more of the kind", hint=hint)


def place(note: Note, steps: tuple[str, ...]) -> str:
    """` [layer 3: COPY model /home/model]`, and that hiding a file does not remove it; "" for a project's folder."""
    hidden = "" if note.visible else "; a later layer hides it, but who has the image has it"
    return f"{layer(note.entry, steps)}{hidden}"


def layer(entry: Entry, steps: tuple[str, ...]) -> str:
    """` [layer 3: COPY model /home/model]`; "" where nothing is known of layers."""
    if entry.layer >= len(steps):
        return ""
    step = _DIGEST.sub("...", masked(steps[entry.layer].replace("/bin/sh -c #(nop)", "")))
    step = printable(" ".join(step.split()))
    step = step if len(step) <= LONGEST_STEP else f"{step[:LONGEST_STEP]}..."
    return f" [layer {entry.layer}: {step}]" if step else f" [layer {entry.layer}]"


def printable(text: str) -> str:
    """A name from an image as it can be printed: no control characters, no broken UTF-8."""
    return "".join(char if char.isprintable() else f"\\x{ord(char) & 0xFF:02x}" for char in text)
