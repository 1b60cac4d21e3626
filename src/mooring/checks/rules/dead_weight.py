"""Little of the image is dead weight.

Package caches, lists of packages, version histories, compilers and files that later layers delete are stored, pulled to
every node and never read. They cost minutes at each start of an instance.

Clear caches in the RUN that fills them (`pip install --no-cache-dir`, `rm -rf /var/lib/apt/lists/*`), keep `.git` out
with a .dockerignore, and build in several stages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.command.bases import image as made
from mooring.checks.rule import INFO, Example, rule
from mooring.checks.sizes import size
from mooring.contract import Finding
from mooring.contract.fact import GB, MB
from mooring.image import EntryKind, File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.image import Filesystem

WORTH_TELLING = 500 * MB
PERCENT = 10
KINDS = {
    "pip's cache": r"/(?:root|home/[^/]+)/\.cache/(?:pip|uv)/",
    "conda's package cache": r"/.*conda[^/]*/pkgs/",
    "lists and archives of packages": r"/var/(?:lib/apt/lists|cache/(?:apt|yum|dnf|apk))/",
    "caches of npm, cargo and maven": r"/(?:root|home/[^/]+)/(?:\.npm|\.cargo/registry|\.m2|\.gradle)/",
    "a git history": r"/(?:.*/)?\.git/",
    "compilers": r"/usr/(?:lib|libexec)/gcc/|/usr/lib/llvm",
    "static libraries": r"/.*\.a$",
}
_PATTERN = re.compile("|".join(f"(?P<k{number}>{pattern})" for number, pattern in enumerate(KINDS.values())))


@rule(
    "IMG-SIZE-03",
    level=INFO,
    good=(
        Example("RUN pip install --no-cache-dir torch", image=made("serve", files={"/model/w.bin": File(size=3 * GB)})),
    ),
    bad=(
        Example(
            "RUN pip install torch",
            image=made(
                "serve", files={"/model/w.bin": File(size=3 * GB), "/home/me/.cache/pip/http/a": File(size=2 * GB)}
            ),
        ),
    ),
)
def dead_weight(files: Filesystem) -> Iterator[Finding]:
    """Only what is worth a build: much of the image, and much in itself."""
    found = {name: amount for name, amount in _weights(files).items() if amount}
    total = sum(found.values())
    if total < WORTH_TELLING or total * 100 < files.size * PERCENT:
        return
    rows = [f"  {size(amount):>9}  {name}" for name, amount in sorted(found.items(), key=lambda pair: -pair[1])]
    yield Finding(
        message="\n".join([f"{size(total)} of {size(files.size)} serve nothing:", *rows]),
        expected="an image of what is read when it serves",
        hint="clear caches in the step that fills them: RUN pip install --no-cache-dir -r requirements.txt",
        source="layers",
    )


def _weights(files: Filesystem) -> dict[str, int]:
    names = list(KINDS)
    found = dict.fromkeys([*names, "files that later layers delete or replace"], 0)
    found["files that later layers delete or replace"] = files.hidden_bytes
    for entry in files.entries():
        if entry.kind is EntryKind.FILE and (match := _PATTERN.match(entry.path)):
            found[names[int((match.lastgroup or "k0")[1:])]] += entry.size
    return found
