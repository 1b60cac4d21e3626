"""Which templates there are, and how one becomes a folder: whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from mooring.errors import Conflict, Invalid, NotFound, Refused
from mooring.project.tree import LEFT_OUT

TEMPLATES = Path(__file__).parent / "templates"
DEFAULT_TEMPLATE = "mnist"


def templates() -> tuple[str, ...]:
    """The names of the templates that came with this installation."""
    return tuple(
        sorted(
            entry.name
            for entry in TEMPLATES.iterdir()
            if (entry / "config.json").is_file() or (entry / "model" / "config.json").is_file()
        )
    )


def scaffold(folder: Path, *, template: str = DEFAULT_TEMPLATE) -> Path:
    """Make `folder` a copy of a template; a folder that exists must be empty.

    Raises:
        Invalid: its name has a line break or another control character in it.
        NotFound: there is no such template.
        Conflict: the folder has something in it already.
        Refused: it cannot be written.
    """
    if template not in templates():
        raise NotFound(f"there is no template {template!r}", hint=f"templates: {', '.join(templates())}")
    if any(unicodedata.category(sign) == "Cc" for sign in str(folder)):
        raise Invalid(f"{str(folder)!r} has a control character in it", hint="name the folder in plain letters")
    target = folder.absolute()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise Conflict(f"{folder} exists and is not an empty folder", hint="name a folder that is not there yet")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as work:
            copy = Path(work) / "project"
            shutil.copytree(TEMPLATES / template, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
            _move(copy, target)
    except OSError as error:
        raise Refused(f"{folder} cannot be written: {_reason(error)}") from error
    return target


def _reason(error: OSError) -> str:
    """What the system said, in one phrase."""
    if isinstance(error, shutil.Error):  # a list of (source, target, words), one for each file: the first will do
        found = re.search(r"\[Errno (\d+)\]", str(error))
        return os.strerror(int(found[1])) if found else "its files could not all be copied"
    return error.strerror or str(error)


def _move(copy: Path, target: Path) -> None:
    # An empty folder that is there already stays the same folder: someone's shell may be in it.
    if not target.exists():
        copy.rename(target)
        return
    for entry in copy.iterdir():
        entry.rename(target / entry.name)
