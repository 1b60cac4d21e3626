"""The project's folder holds nothing that mooring knows how to mend.

Some mistakes have one way out only: a misspelt name in config.json, a start script with Windows line ends, a CMD whose
shell keeps the signals from the server. The build reads some of them as they were meant, and then the next person, or
another builder, does not.

Let `mooring check --fix DIR` mend them; it shows the difference first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mooring.checks.mending import Change
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

MENDED = Change(
    folder=Path("project"),
    path=Path("project/run.sh"),
    mode_before=0o755,
    mode=0o755,
    before=b"exec python3 server.py\r\n",
    after=b"exec python3 server.py\n",
    rules=("IMG-BOOT-06",),
    why="its lines end as Windows ends them",
)


@rule(
    "PRJ-FIX-01",
    level=SHOULD,
    good=(Example("nothing to mend", changes=()),),
    bad=(Example("run.sh with CRLF line ends", changes=(MENDED,)),),
)
def project_needs_mending(changes: tuple[Change, ...]) -> Iterator[Finding]:
    """Each change that could be made; what is only about config.json is told by its own rules already."""
    for change in changes:
        told = all(name.startswith("CFG-") for name in change.rules)
        yield Finding(
            message=change.why,
            expected="a file that needs no reading between the lines",
            hint="mooring check --fix shows the change, and makes it",
            source=str(change.path),
            level=Level.INFO if told else Level.MUST,
        )
