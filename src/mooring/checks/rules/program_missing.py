"""The program that the image starts is in it, and can be started.

A command that names a program which is not there, is not executable or is looked for in another folder ends the
container before its first line of log. Names without a folder are looked up on the image's own PATH, relative ones
from WORKDIR, which is / where no WORKDIR is given.

Write the whole path in CMD (`CMD ["/home/app/start.sh"]`), give a WORKDIR, and `chmod +x` what is started by its own
name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mooring.checks.command import Handing, start_command
from mooring.checks.command.bases import image, script
from mooring.checks.command.place import place_of
from mooring.checks.command.program import Fault, interpreter
from mooring.checks.rule import MUST, REAL_TIME, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import BOOT_FILE, CUSTOM_ENGINE_MODEL_FOLDER, MOUNT_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import Hop, StartCommand
    from mooring.checks.command.place import Place
    from mooring.checks.command.program import Program
    from mooring.checks.wish import Wish
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

DOCUMENT = "modelarts_23_0219"


@rule(
    "IMG-BOOT-04",
    level=MUST,
    good=(
        Example(
            'CMD ["sh", "/app/start.sh"]',
            image=image("sh", "/app/start.sh", files={"/app/start.sh": "exec python3 -u a.py"}),
        ),
        Example("CMD gunicorn app:app (installed)", image=image("gunicorn app:app")),
    ),
    bad=(
        Example(
            'CMD ["gunicorn", "app:app"] (not installed)', image=image("gunicorn", without=("/usr/local/bin/gunicorn",))
        ),
        Example(
            'CMD ["./start.sh"] without WORKDIR', image=image("./start.sh", files={"/app/start.sh": script("sleep 1")})
        ),
        Example(
            "a start script that is not executable", image=image("/a.sh", files={"/a.sh": script("#!/bin/sh", 0o644)})
        ),
        Example(
            "a start script that starts nothing", image=image("sh", "/a.sh", files={"/a.sh": "set -e\necho ready\n"})
        ),
    ),
)
def program_missing(image_config: ImageConfig, files: Filesystem, edition: Edition, wish: Wish) -> Iterator[Finding]:
    """The first hop that leads nowhere; the batch boot file is left to the rule about it."""
    start = start_command(image_config, files)
    if not start.hops:
        return
    hop = start.hops[-1]
    lost = hop.program if hop.program.fault else hop.file
    boot = edition.get(BOOT_FILE, "")
    if lost is not None and lost.fault is not None:
        if wish.kind is not REAL_TIME and lost.path == boot:
            return
        place = place_of(hop.source, start.instruction(hop.words[0] if lost is hop.program else lost.path))
        executable = lost.fault is not Fault.NOT_EXECUTABLE
        advice = _advice(hop, lost, image_config, files) if executable else _made_executable(hop, lost, start, files)
        yield _finding(hop, lost, _level(lost.path, image_config, edition), advice, place)
    elif _starts_nothing(start):
        step = start.shells[-1]
        yield Finding(
            message=f"{step.named} starts no program: it ends, and the container with it, when its last line is read",
            expected="a script that ends in the server's command",
            document=DOCUMENT,
            hint="let its last line be the server: exec python3 -u /home/app/app.py",
            source=step.path,
            causes=("finished-at-once",),
        )


def _starts_nothing(start: StartCommand) -> bool:
    return (
        bool(start.shells)
        and start.settled
        and start.shells[-1].outcome.handing is Handing.NOTHING
        and not start.program
    )


def _finding(hop: Hop, lost: Program, level: Level, advice: str, place: Place) -> Finding:
    by = f"{hop.source} starts {' '.join(hop.words)}"
    name = lost.path if lost.fault is not Fault.NOT_ON_PATH else hop.words[0]
    return Finding(
        level=level,
        message=f"{by}, and {name} {lost.fault.value if lost.fault else 'is missing'}",
        expected="a program that is in the image and may be executed",
        document=DOCUMENT,
        hint=advice,
        source=place.source,
        line=place.line,
        causes=("command-missing", "command-not-executable", "could-not-start"),
    )


def _level(path: str, config: ImageConfig, edition: Edition) -> Level:
    """What lies where storage is mounted may come with it."""
    mounts = [edition.get(CUSTOM_ENGINE_MODEL_FOLDER, ""), edition.get(MOUNT_FOLDER, ""), *config.volumes]
    mounted = any(mount and path.startswith(mount.rstrip("/") + "/") for mount in mounts)
    return Level.SHOULD if mounted else Level.MUST


def _advice(hop: Hop, lost: Program, config: ImageConfig, files: Filesystem) -> str:
    name = (hop.words[0] if lost is hop.program else lost.path).rpartition("/")[2]
    there = sorted((one.path for one in files.entries() if one.path.endswith("/" + name)), key=len)[:3]
    if there and not config.working_dir and "/" in hop.words[0] + (lost.path if lost is hop.file else ""):
        return f"there is {', '.join(there)}: write that path, or add WORKDIR {there[0].rpartition('/')[0] or '/'}"
    if there:
        return f"there is {', '.join(there)}: write that path, or put its folder on PATH"
    return f"install {name} in the image, or correct the name in CMD"


def _made_executable(hop: Hop, lost: Program, start: StartCommand, files: Filesystem) -> str:
    """chmod, or the words of the instruction with the script's own interpreter before it."""
    chmod = f"RUN chmod +x {lost.path} in the Dockerfile"
    content = files.text(lost.path)
    if content is None or b"\0" in content or content.startswith(b"\x7fELF"):
        return chmod
    through = interpreter(content) or "sh"
    place = place_of(hop.source, start.instruction(hop.words[0]))
    if place.line:
        return f"{chmod}; or start it through its interpreter: {through} {' '.join(hop.words)} in {place}"
    given = start.entrypoint if place.source == "ENTRYPOINT" else start.words[len(start.entrypoint) :]
    before = given.index(hop.words[0]) if hop.words[0] in given else 0
    words = [*given[:before], through, *(given[before:] if hop.words[0] in given else hop.words)]
    return f"{chmod}; or start it through its interpreter: {place} {json.dumps(words)}"
