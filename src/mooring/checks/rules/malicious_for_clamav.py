"""ClamAV finds nothing in the image.

Where a clamd is configured, every file of every layer is streamed to it in the same pass. It knows many thousand kinds
of malware; what it knows is as old as its database.

Take the file out of the step that brings it, and build anew without cache. For what ClamAV takes for something else:
`--accept IMG-SAFE-04:reason`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.scanning.clamd import Antivirus
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.telling import told
from mooring.image import Entry, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Finding, Level

_ASKED = Antivirus(address="unix:/run/clamav/clamd.ctl", version="ClamAV 1.4.3", files=1_742)
_FOUND = Detection(
    scanner="clamd",
    name="Unix.Trojan.Mirai-1",
    severity=Severity.MALICIOUS,
    detail="ClamAV calls it Unix.Trojan.Mirai-1",
)


@rule(
    "IMG-SAFE-04",
    level=MUST,
    good=(Example("clamd says OK to every file", detections=(), steps=("COPY . /home",), antivirus=_ASKED),),
    bad=(
        Example(
            "clamd finds something",
            detections=(Note(entry=Entry(path="/home/tool"), value=(_FOUND,), visible=True),),
            steps=("COPY . /home",),
            antivirus=_ASKED,
        ),
    ),
)
def malicious_for_clamav(
    detections: tuple[Note, ...], steps: tuple[str, ...], antivirus: Antivirus
) -> Iterator[Finding]:
    """What it found before it fell silent still counts; without findings a silent clamd means that nothing is known."""
    found = list(
        told(detections, steps, _wanted, expected="no malicious content", hint="take the file out, and build anew")
    )
    if antivirus.trouble and not found:
        raise NotKnown(f"{antivirus.address}: {antivirus.trouble}")
    yield from found


def _wanted(detection: Detection) -> Level | None:
    if detection.scanner != "clamd":
        return None
    return {Severity.MALICIOUS: MUST, Severity.SUSPICIOUS: SHOULD}.get(detection.severity)
