"""What the command names is found from the folder that it starts in.

Relative names, of files and of modules such as `service:APP`, are looked for in WORKDIR, which is / where none is
given, and modules also in PYTHONPATH. On the author's machine the command was typed in the project's folder; in the
image it is not.

Add `WORKDIR /home/app` before CMD, or write whole paths: `gunicorn --chdir /home/app service:APP`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.application import elsewhere, module_file, search_folders
from mooring.checks.command.bases import image
from mooring.checks.command.python_program import python_program
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import CUSTOM_ENGINE_MODEL_FOLDER, MOUNT_FOLDER
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import Server, StartCommand
    from mooring.checks.command.python_program import PythonProgram
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_FILES = {"/home/app/service.py": "APP = None\n"}
_COMMAND = ("gunicorn", "-b", "0.0.0.0:8080", "service:APP")


@rule(
    "IMG-DIR-01",
    level=MUST,
    good=(Example("WORKDIR /home/app", image=image(*_COMMAND, files=_FILES, working_dir="/home/app")),),
    bad=(
        Example("gunicorn service:APP, no WORKDIR", image=image(*_COMMAND, files=_FILES)),
        Example('CMD ["python3", "service.py"], no WORKDIR', image=image("python3", "service.py", files=_FILES)),
        Example("WORKDIR is a file", image=image("python3", "-V", files=_FILES, working_dir="/home/app/service.py")),
    ),
)
def module_not_found(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """WORKDIR itself, the script, and the module that a server is given."""
    yield from _working_dir(image_config, files)
    start = start_command(image_config, files)
    server = server_of(start, files)
    mounts = [edition.get(CUSTOM_ENGINE_MODEL_FOLDER, ""), edition.get(MOUNT_FOLDER, ""), *image_config.volumes]
    python = server.python if server else _python(start, files)
    if python and python.path:
        if files.resolve(python.path) is None:
            mounted = any(mount and python.path.startswith(mount.rstrip("/") + "/") for mount in mounts)
            yield _lost(start, python.path, _places(python.path, files), Level.SHOULD if mounted else Level.MUST)
    elif server and server.app:
        yield from _module(start, server, files, mounts)


def _python(start: StartCommand, files: Filesystem) -> PythonProgram | None:
    return python_program(start, files) if start.program else None


def _working_dir(config: ImageConfig, files: Filesystem) -> Iterator[Finding]:
    entry = files.resolve(config.working_dir) if config.working_dir else None
    if entry is not None and entry.kind is not EntryKind.FOLDER:
        yield Finding(
            message=f"WORKDIR {config.working_dir} is a {entry.kind}",
            expected="a folder",
            hint="name the folder in WORKDIR",
            source="WORKDIR",
        )
    elif config.working_dir and config.working_dir != "/" and entry is None:
        yield Finding(
            level=Level.INFO,
            message=f"WORKDIR {config.working_dir} is not in the image; engines make it, empty and owned by root",
            expected="a folder of the image",
            hint=f"WORKDIR {config.working_dir} in the Dockerfile, which makes it, after the COPY of what is in it",
            source="WORKDIR",
        )


def _module(start: StartCommand, server: Server, files: Filesystem, mounts: list[str]) -> Iterator[Finding]:
    name = server.app.partition(":")[0].split(".")[0]
    folders = search_folders(start, server)
    if folders is None or not name.isidentifier() or module_file(name, folders, files):
        return
    found = elsewhere(name, files)
    if found.installed or found.hidden:
        return
    mounted = any(mount and f"{folder}/".startswith(mount.rstrip("/") + "/") for mount in mounts for folder in folders)
    yield _lost(start, f"{name} of {server.app}", found.places, Level.SHOULD if mounted else Level.MUST, folders)


def _places(path: str, files: Filesystem) -> tuple[str, ...]:
    name = path.rpartition("/")[2]
    return tuple(sorted((one.path for one in files.entries() if one.path.endswith("/" + name)), key=len)[:3])


def _lost(
    start: StartCommand, what: str, places: tuple[str, ...], level: Level, folders: tuple[str, ...] = ()
) -> Finding:
    where = f" in {' or '.join(folders)}" if folders else ""
    there = f"; there is {', '.join(places)}" if places else ""
    folder = places[0].rpartition("/")[0] or "/" if places else "the folder of the application"
    return Finding(
        level=level,
        message=f"{' '.join(start.program)} is started in {start.directory}, and there is no {what}{where}{there}",
        expected="the file or module that the command names",
        hint=f"WORKDIR {folder} before CMD" if places else "COPY it into the image, and set WORKDIR to its folder",
        source=start.place.source,
        line=start.place.line,
        causes=("command-missing", "python-module-missing", "exited"),
    )
