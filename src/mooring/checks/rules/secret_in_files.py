"""No file of the image holds a secret.

Everyone who may pull an image may read its files, in every layer: deleting one in a later step only hides it. Private
keys, tokens and logins get in with `COPY .`, or are left by a step that needed them.

Give secrets to the build as `RUN --mount=type=secret`, to the server as an environment variable at deployment, list
such files in .dockerignore, and replace the secret: it is known now.
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

_KEY = Detection(scanner="secret", name="private-key", severity=Severity.SUSPICIOUS, detail="it holds a private key")


@rule(
    "IMG-SECRET-02",
    level=SHOULD,
    good=(Example("id_rsa in .dockerignore", detections=(), steps=("COPY . /home",)),),
    bad=(
        Example(
            "COPY . /home, then RUN rm /home/id_rsa",
            detections=(Note(entry=Entry(path="/home/id_rsa"), value=(_KEY,), visible=False),),
            steps=("COPY . /home", "RUN rm /home/id_rsa"),
        ),
    ),
)
def secret_in_files(detections: tuple[Note, ...], steps: tuple[str, ...]) -> Iterator[Finding]:
    """What it is and where, never the secret itself."""

    def wanted(detection: Detection) -> Level | None:
        return SHOULD if detection.scanner == "secret" else None

    yield from told(
        detections,
        steps,
        wanted,
        expected="no secrets in the image",
        hint="keep it out with .dockerignore or RUN --mount=type=secret, and replace the secret",
    )
