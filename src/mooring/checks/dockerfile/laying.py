"""Which files of the folder a Dockerfile lays into the image and where, and what later steps may have done to them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.checks.dockerfile.context import BuildContext, Sent
    from mooring.checks.dockerfile.lines import Instruction
    from mooring.checks.dockerfile.reading import Copied, Dockerfile

# Folders that are in every base: a file that is copied to one of them lies in it.
_FOLDERS = frozenset({"/", "/bin", "/etc", "/home", "/mnt", "/opt", "/root", "/sbin", "/srv", "/usr", "/var"})
_FOLDERS_OF_PROGRAMS = frozenset({"/usr/bin", "/usr/local", "/usr/local/bin", "/usr/sbin", "/usr/lib"})
# Commands of RUN that install, or make users and folders, and leave the files of the author as they are.
_TIDY = re.compile(
    r"(?:sudo\s+)?(?:apt-get|apt|apk|yum|dnf|microdnf|conda|mamba|uv|mkdir|useradd|adduser|groupadd|addgroup|usermod|set"
    r"|export|cd|true|:|ldconfig|locale-gen|update-ca-certificates|chmod|chown|(?:python[\d.]*\s+-m\s+)?pip[\d.]*"
    r"|python[\d.]*\s+-m\s+venv|echo)(?=\s|$)|rm\s+(?:-\w+\s+)*(?:/var/|/tmp/|(?:/home)?/[\w-]+/\.cache|/usr/share/)\S*$"
)
_OPENS_MODES = re.compile(r"\b(?:chmod|chown|chgrp|install|setfacl)\b")
_SEPARATORS = re.compile(r"&&|\|\||[;|\n]")
_ASSIGNED = re.compile(r"(?:[A-Za-z_]\w*=\S*\s+)*")
_QUOTED = re.compile(r"([\"'])[^\"'$`]*\1")
_RUNS_OR_WRITES = re.compile(r"\$\(|[`<>]")
_HARMLESS_REDIRECTION = re.compile(r"\d?>+\s*(?:/dev/null|&\d)")


@dataclass(frozen=True, kw_only=True)
class Laid:
    """A file of the folder at its path in the image.

    `certain` tells that no later step may have changed its content, `mode_certain` who may read and start it.
    """

    sent: Sent
    mode: int
    certain: bool = True
    mode_certain: bool = True


@dataclass
class Laying:
    """The files by their paths in the image; `whole` tells that no other file of the author's can be in it."""

    files: dict[str, Laid] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    whole: bool = True


def laying(found: Dockerfile, context: BuildContext) -> Laying:
    """What the last stage lays into the image, step by step."""
    made = Laying(whole=not context.cut)
    copies = {copied.at: copied for copied in found.copies}
    for at, step in enumerate(found.instructions):
        if at in copies:
            _copy(made, copies[at], context)
        elif step.keyword == "RUN":
            _run(made, step)
        elif step.keyword in ("ADD", "COPY"):
            _may_be_anything(made, "/")
    made.folders.add(found.config.working_dir or "/")
    return made


def _copy(made: Laying, copied: Copied, context: BuildContext) -> None:
    target = copied.target.rstrip("/") or "/"
    if "$" in copied.target or any("$" in source for source in copied.sources):
        _may_be_anything(made, "/")
        return
    if copied.opaque:
        _may_be_anything(made, target)
        return
    by_source = [context.matching(source) for source in copied.sources]
    if not all(by_source):
        # It will be there when somebody builds, or there is no image.
        _may_be_anything(made, target)
    matches = [one for found in by_source for one in found]
    into = _is_folder(made, copied, matches)
    if into is None:
        _may_be_anything(made, target)
    for one in matches if into is not None else ():
        if one.is_folder:
            for inner in context.below(one.path):
                _lay(made, posixpath.join(target, posixpath.relpath(inner.path, one.path or ".")), inner, copied)
        else:
            name = posixpath.basename(one.path)
            _lay(made, posixpath.join(target, name) if into else target, one, copied)


def _is_folder(made: Laying, copied: Copied, matches: list[Sent]) -> bool | None:
    """Whether what is copied lies in the target, or is the target; None where the base would have to be known."""
    target = copied.target.rstrip("/") or "/"
    known = target in made.folders | _FOLDERS | _FOLDERS_OF_PROGRAMS
    if copied.target.endswith("/") or len(matches) != 1 or matches[0].is_folder or known:
        return True
    if any(path.startswith(f"{target}/") for path in made.files):
        return True
    same = posixpath.splitext(target)[1] == posixpath.splitext(matches[0].path)[1]
    return False if same and posixpath.splitext(target)[1] else None


def _lay(made: Laying, path: str, sent: Sent, copied: Copied) -> None:
    if sent.is_folder:
        made.folders.add(path)
        return
    octal = re.fullmatch(r"0?[0-7]{3,4}", copied.mode)
    made.files[path] = Laid(
        sent=sent,
        mode=int(copied.mode, 8) if octal else sent.mode,
        certain=not sent.is_link,
        mode_certain=not copied.owner and (not copied.mode or bool(octal)),
    )


def _may_be_anything(made: Laying, folder: str) -> None:
    """Something unknown was laid at that path, or into that folder."""
    made.whole = False
    for path, laid in made.files.items():
        if folder in (path, "/") or path.startswith(f"{folder}/"):
            made.files[path] = replace(laid, certain=False, mode_certain=False)


def _run(made: Laying, step: Instruction) -> None:
    if not tidy(step):
        _may_be_anything(made, "/")
    elif _OPENS_MODES.search(step.rest):
        made.files = {path: replace(laid, mode_certain=False) for path, laid in made.files.items()}


def tidy(step: Instruction) -> bool:
    """Whether a RUN leaves the author's files as they are, as far as its words can be read."""
    text = " ".join(step.exec_form) if step.exec_form else step.rest
    # What stands in quotes may be a requirement, such as "numpy>=1.26".
    bare = _QUOTED.sub("", _HARMLESS_REDIRECTION.sub("", text))
    return not _RUNS_OR_WRITES.search(bare) and all(_tidy(part) for part in _SEPARATORS.split(bare))


def _tidy(part: str) -> bool:
    words = part.strip().strip("()").strip()
    return not words or bool(_TIDY.match(_ASSIGNED.sub("", words, count=1)))
