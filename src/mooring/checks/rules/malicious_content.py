"""No file of the image is malware, or a pickle that runs code.

The contract forbids malicious content, and whoever loads such a pickle, or starts such a program, hands over the
container and what it may reach. Files are judged by what is in them, whatever they are called, in every layer: those
that later layers delete too, for whoever has the image has them. A scan finds what is known; it is no proof that there
is nothing else.

Take the file out of the step that brings it, and build anew without cache. Where a pickle came from elsewhere, ask its
author for the model as ONNX or safetensors. If you are sure that it is harmless: `--accept IMG-SAFE-01:reason`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.telling import told
from mooring.image import Entry, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Finding, Level

_BAD = Detection(
    scanner="pickle",
    name="malicious-import",
    severity=Severity.MALICIOUS,
    detail="a pickle imports posix.system: loading it runs code",
    names=("posix.system",),
)


@rule(
    "IMG-SAFE-01",
    level=MUST,
    good=(Example("a pickle of an sklearn model", detections=(), steps=("COPY model /home/model",)),),
    bad=(
        Example(
            "a pickle that calls os.system",
            detections=(Note(entry=Entry(path="/home/model/model.bin"), value=(_BAD,), visible=True),),
            steps=("COPY model /home/model",),
        ),
    ),
)
def malicious_content(detections: tuple[Note, ...], steps: tuple[str, ...]) -> Iterator[Finding]:
    """What YARA's signatures and the scanner of pickles are sure of; clamd has a rule of its own."""

    def wanted(detection: Detection) -> Level | None:
        return MUST if detection.severity is Severity.MALICIOUS and detection.scanner != "clamd" else None

    yield from told(
        detections,
        steps,
        wanted,
        expected="no malicious content",
        hint="take the file out of the step that brings it, and build without cache",
    )
