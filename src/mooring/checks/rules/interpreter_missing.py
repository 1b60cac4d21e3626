"""Scripts name an interpreter that is in the image.

The kernel reads the first line of a script that is started by its own name. Where it names a program that is not there
(bash on a slim base, the Python of another stage), the start fails with "no such file or directory" though the script
is there.

Name what the image has: `#!/bin/sh`, or `#!/usr/bin/env python3`; or install the interpreter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import start_command
from mooring.checks.command.bases import image, script
from mooring.checks.command.program import shebang
from mooring.checks.command.scope import DEFAULT_PATH
from mooring.checks.rule import MUST, REAL_TIME, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import BOOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.wish import Wish
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig


@rule(
    "IMG-BOOT-05",
    level=MUST,
    good=(
        Example("#!/bin/sh", image=image("/run.sh", files={"/run.sh": script("#!/bin/sh\nexec python3 -u a.py\n")})),
    ),
    bad=(
        Example(
            "#!/bin/bash, where only sh is",
            image=image("/run.sh", files={"/run.sh": script("#!/bin/bash\n")}, without=("/bin/bash",)),
        ),
        Example(
            "#!/usr/bin/env python, where only python3 is",
            image=image(
                "/serve", files={"/serve": script("#!/usr/bin/env python\n")}, without=("/usr/local/bin/python",)
            ),
        ),
    ),
)
def interpreter_missing(
    image_config: ImageConfig, files: Filesystem, edition: Edition, wish: Wish
) -> Iterator[Finding]:
    """What is started by its own name must; what a shell is told to read should."""
    start = start_command(image_config, files)
    direct = {hop.program.path: hop.source for hop in start.hops if hop.program.entry and not hop.program.fault}
    boot = edition.get(BOOT_FILE, "")
    others = {boot: "a batch service"} if boot and wish.kind is not REAL_TIME and boot not in direct else {}
    path = start.environment.get("PATH") or DEFAULT_PATH
    for script_path, starter in {**direct, **others}.items():
        missing = _missing(files.text(script_path) or b"", path, files) if script_path.startswith("/") else ""
        if missing and (start.settled or script_path == boot):
            yield Finding(
                level=Level.MUST if script_path in direct else Level.SHOULD,
                message=f"the first line of {script_path} names {missing}, which is not in the image; "
                f"{starter} starts it",
                expected="an interpreter that is in the image",
                document=edition.source(BOOT_FILE) if BOOT_FILE in edition else "",
                hint="#!/bin/sh as its first line; or install the interpreter in the image",
                source=script_path,
                line=1,
                causes=("command-missing", "could-not-start") if script_path in direct else (),
            )


def _missing(content: bytes, path: str, files: Filesystem) -> str:
    words = [word for part in shebang(content) for word in part.split()]
    if not words or not words[0].startswith("/"):
        return ""
    if files.resolve(words[0]) is None:
        return words[0]
    if words[0].rpartition("/")[2] == "env":
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        if rest and files.which(rest[0], path) is None:
            return rest[0]
    return ""
