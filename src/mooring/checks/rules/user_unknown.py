"""The user that the image runs as exists, and may read what is started.

An engine looks a name in USER up in the image's /etc/passwd, and refuses to start a container where it is not there;
a number needs no entry. A user that may not read the application, since the files were copied as root with a narrow
mode, ends it with "permission denied".

Make the user in the Dockerfile (`RUN useradd -u 1000 -g 100 -m ma-user`) or give numbers; `COPY --chown=1000:100`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import start_command
from mooring.checks.command.bases import image, script
from mooring.checks.command.identity import READ, identity
from mooring.checks.command.python_program import python_program
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import StartCommand
    from mooring.image import Filesystem, ImageConfig

_COMMAND = ("python3", "-u", "/app/app.py")


@rule(
    "IMG-USER-02",
    level=MUST,
    good=(
        Example("USER ma-user, made with useradd", image=image(*_COMMAND, files={"/app/app.py": ""}, user="ma-user")),
    ),
    bad=(
        Example("USER work, which nobody made", image=image(*_COMMAND, files={"/app/app.py": ""}, user="work")),
        Example(
            "USER 1000:100, and the application is root's alone",
            image=image(*_COMMAND, files={"/app/app.py": script("", 0o600)}, user="1000:100"),
        ),
    ),
)
def user_unknown(image_config: ImageConfig, files: Filesystem) -> Iterator[Finding]:
    """The name first, then each file that a shell or Python is told to read."""
    who = identity(image_config, files)
    if who.missing:
        yield Finding(
            message=f"USER is {image_config.user}, and {who.missing} is neither in /etc/passwd nor in /etc/group",
            expected="a user of the image, or numbers",
            hint="RUN useradd -u 1000 -g 100 -m ma-user && ... USER ma-user; or USER 1000:100",
            source="USER",
            causes=("could-not-start",),
        )
        return
    for path in _read(start_command(image_config, files), files):
        entry = files.resolve(path)
        if entry is not None and not (who.may(entry, READ) and who.may_reach(entry.path, files)):
            yield Finding(
                message=f"the image's user {image_config.user} may not read {path} (mode {entry.mode:o}, owner "
                f"{entry.uid}:{entry.gid})",
                expected="files that the user may read",
                hint=f"COPY --chown={image_config.user} in the Dockerfile, or RUN chmod a+rX {path}",
                source=path,
                causes=("permission-denied",),
            )


def _read(start: StartCommand, files: Filesystem) -> list[str]:
    """The files that are read on the way, without the batch boot file's own rule."""
    python = python_program(start, files) if start.program else None
    scripts = [hop.file.path for hop in start.hops if hop.file and hop.file.entry]
    return [*scripts, *([python.path] if python and python.path else [])]
