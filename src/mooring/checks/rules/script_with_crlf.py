r"""Start scripts end their lines as Linux does.

A script saved on Windows ends each line with an invisible character more. The shell takes it for a part of the last
word: "not found", "illegal option -", a folder that does not exist; or the kernel looks for an interpreter of that
name.

Convert it (`sed -i 's/\r$//' run.sh`), and keep it so: `*.sh text eol=lf` in .gitattributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import start_command
from mooring.checks.command.bases import image, script
from mooring.checks.command.program import shebang
from mooring.checks.rule import MUST, REAL_TIME, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import BOOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.wish import Wish
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

# What comes of it is what the last word of a line makes of one character more.
CAUSES = ("command-missing", "could-not-start", "exited", "finished-at-once", "python-module-missing")


@rule(
    "IMG-BOOT-06",
    level=MUST,
    good=(
        Example(
            "#!/bin/sh\\nexec serve\\n",
            image=image("sh", "/run.sh", files={"/run.sh": "#!/bin/sh\nexec python3 -u a.py\n"}),
        ),
    ),
    bad=(
        Example(
            "#!/bin/sh\\r\\nexec serve\\r\\n",
            image=image("sh", "/run.sh", files={"/run.sh": "#!/bin/sh\r\nexec python3 -u a.py\r\n"}),
        ),
        Example(
            "#!/usr/bin/env python3\\r\\n",
            image=image("/serve", files={"/serve": script("#!/usr/bin/env python3\r\n")}),
        ),
    ),
)
def script_with_crlf(image_config: ImageConfig, files: Filesystem, edition: Edition, wish: Wish) -> Iterator[Finding]:
    """Every script that a shell reads on the way, the batch boot file, and first lines that the kernel reads."""
    start = start_command(image_config, files)
    scripts = {step.path: step.content for step in start.scripts}
    boot = edition.get(BOOT_FILE, "")
    if boot and wish.kind is not REAL_TIME and (content := files.text(boot)) is not None:
        scripts.setdefault(boot, content)
    for path in (hop.program.path for hop in start.hops if hop.program.path.startswith("/")):
        content = files.text(path) or b""
        if shebang(content) and content.partition(b"\n")[0].endswith(b"\r"):
            scripts.setdefault(path, content)
    for path, content in scripts.items():
        # What follows the last line's end is no line.
        lines = content.removesuffix(b"\n").split(b"\n")
        wrong = [number for number, line in enumerate(lines, start=1) if line.endswith(b"\r")]
        if wrong:
            yield Finding(
                message=f"{len(wrong)} of {len(lines)} lines of {path} end with CR LF",
                expected="lines that end with LF alone",
                document=edition.source(BOOT_FILE) if path == boot else "",
                hint=f"sed -i 's/\\r$//' {path.rpartition('/')[2]}, and '*.sh text eol=lf' in .gitattributes",
                source=path,
                line=wrong[0],
                causes=CAUSES,
            )
