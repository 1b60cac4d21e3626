"""No file of the image does what only malware, or a careless author, does.

A pickle imports what it likes when it is loaded. Ordinary models need numpy, scikit-learn, torch and their kin; what
else one imports has to be known by somebody. Scripts that fetch code and run it at once, addresses of mining pools and
code that unpacks itself are looked at twice for the same reason.

Look at what is named. If it is yours, say so: `allow_imports = ["my_package.*"]` in mooring.toml, or `--accept
IMG-SAFE-02:reason`. Models as ONNX or safetensors import nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.telling import told
from mooring.image import Entry, Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Finding, Level

_ODD = Detection(
    scanner="pickle",
    name="unknown-import",
    severity=Severity.SUSPICIOUS,
    detail="a pickle imports shop.features.Prices",
    names=("shop.features.Prices",),
)


@rule(
    "IMG-SAFE-02",
    level=SHOULD,
    good=(
        Example("the same, with allow_imports = ['shop.*'] in mooring.toml", detections=(), steps=("COPY . /home",)),
    ),
    bad=(
        Example(
            "a pickle that imports shop.features.Prices",
            detections=(Note(entry=Entry(path="/home/model/model.pkl"), value=(_ODD,), visible=True),),
            steps=("COPY . /home",),
        ),
    ),
)
def suspicious_content(detections: tuple[Note, ...], steps: tuple[str, ...]) -> Iterator[Finding]:
    """What YARA's signatures and the scanner of pickles wonder about."""

    def wanted(detection: Detection) -> Level | None:
        odd = detection.severity is Severity.SUSPICIOUS and detection.scanner in {"yara", "pickle"}
        return SHOULD if odd else None

    yield from told(
        detections,
        steps,
        wanted,
        expected="content that somebody vouches for",
        hint='if it is yours, allow_imports = ["..."] in mooring.toml; else find out where it comes from',
    )
