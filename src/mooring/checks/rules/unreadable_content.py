"""Every file of the image that may hold a pickle can be looked into.

A pickle that breaks off, or an archive that is encrypted or unpacks without end, may do anything up to there, and
nobody can tell. Silence would look like a clean bill.

Write the model anew, from the program that made it; leave archives that nobody opens out of the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.telling import told
from mooring.image import Entry, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Finding, Level

# Encrypted, compressed in a way of its own, deep in other archives; or larger than clamd takes.
_ONLY_CLOSED = frozenset({"closed", "too-large"})
_BROKEN = Detection(
    scanner="pickle",
    name="broken",
    severity=Severity.UNREADABLE,
    detail="a pickle could not be followed: it ends before it is complete",
)


@rule(
    "IMG-SAFE-03",
    level=SHOULD,
    good=(Example("whole files", detections=(), steps=("COPY model /home/model",)),),
    bad=(
        Example(
            "half a pickle",
            detections=(Note(entry=Entry(path="/home/model/model.pkl"), value=(_BROKEN,), visible=True),),
            steps=("COPY model /home/model",),
        ),
    ),
)
def unreadable_content(detections: tuple[Note, ...], steps: tuple[str, ...]) -> Iterator[Finding]:
    """Broken pickles, and what exhausts whoever looks; archives that are only closed are remarked on."""

    def wanted(detection: Detection) -> Level | None:
        if detection.severity is not Severity.UNREADABLE:
            return None
        return INFO if detection.name in _ONLY_CLOSED else SHOULD

    yield from told(
        detections,
        steps,
        wanted,
        expected="content that can be looked into",
        hint="write the file anew, or leave it out of the image",
    )
