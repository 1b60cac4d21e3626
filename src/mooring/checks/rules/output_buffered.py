"""What the server prints leaves it at once.

Python keeps what is printed until some kilobytes are full when its output is no terminal, and in a container it never
is. The platform's log then shows a request minutes later, and the last words before a crash never. (The logging
module writes at once; print does not.)

`ENV PYTHONUNBUFFERED=1` in the Dockerfile, or `python3 -u`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.application import sources
from mooring.checks.command.bases import image
from mooring.checks.command.python_program import python_program
from mooring.checks.command.python_source import dotted, keyword, parsed
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from mooring.checks.command import StartCommand
    from mooring.checks.command.python_program import PythonProgram
    from mooring.image import Filesystem, ImageConfig

DOCUMENT = "modelarts_23_0219"
_FILES = {"/app/app.py": "print('ready')\n"}
_IGNORES_VARIABLES = re.compile(r"-[A-Za-z]*[IE][A-Za-z]*")


@rule(
    "IMG-LOG-03",
    level=SHOULD,
    good=(
        Example(
            "ENV PYTHONUNBUFFERED=1", image=image("python3", "/app/app.py", files=_FILES, env={"PYTHONUNBUFFERED": "1"})
        ),
        Example('CMD ["python3", "-u", "app.py"]', image=image("python3", "-u", "/app/app.py", files=_FILES)),
        Example(
            "print(..., flush=True)",
            image=image("python3", "/app/app.py", files={"/app/app.py": "print('ready', flush=True)\n"}),
        ),
    ),
    bad=(Example('CMD ["python3", "app.py"], which prints', image=image("python3", "/app/app.py", files=_FILES)),),
)
def output_buffered(image_config: ImageConfig, files: Filesystem) -> Iterator[Finding]:
    """Python that is told nothing of it, and whose own files print."""
    start = start_command(image_config, files)
    python = python_program(start, files) if start.program else None
    if python is None:
        raise NotAsked("it is not known to be Python that is started")
    server = server_of(start, files)
    if not start.settled or _unbuffered(python, start) or (server and server.flushes):
        return
    read = False
    for path, content in sources(start, server, python.path, files):
        read = True
        line = _prints(content, path)
        if line:
            yield Finding(
                message=f"{' '.join(start.program)} is started with neither -u nor PYTHONUNBUFFERED, and {path} prints",
                expected="each line in the log when it is written",
                document=DOCUMENT,
                hint="ENV PYTHONUNBUFFERED=1 in the Dockerfile",
                source=path,
                line=line,
                causes=("holds-back-its-logs",),
            )
            return
    if not read:
        raise NotAsked("the source of what is started was not read")


def _unbuffered(python: PythonProgram, start: StartCommand) -> bool:
    ignores = any(_IGNORES_VARIABLES.fullmatch(option) for option in python.options)
    return python.unbuffered or (bool(start.environment.get("PYTHONUNBUFFERED")) and not ignores)


def _prints(content: bytes, path: str) -> int:
    """The line of the first print that does not flush; 0 if there is none."""
    source = parsed(content, path, {})
    if source is None or b"sys.stdout.reconfigure" in content or b"sys.stdout.flush" in content:
        return 0
    lines = [call.lineno for call in source.calls if dotted(call.func) == "print" and _keeps(call)]
    return min(lines, default=0)


def _keeps(call: ast.Call) -> bool:
    target = keyword(call, "file")
    return keyword(call, "flush") is None and (target is None or dotted(target) == "sys.stdout")
