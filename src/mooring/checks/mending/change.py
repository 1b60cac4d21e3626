"""One file of a project put right: what it was, what it becomes, shown as a diff and written whole or not at all."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.errors import Conflict, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NO_NEWLINE = "\\ No newline at end of file"
# What a terminal would act on is shown as a picture of it.
_PICTURES: dict[int, int | str] = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"}
# As git shows it: without it a line whose end alone changes would look like itself.
_PICTURES |= {0x7F: 0x2421, ord("\r"): "^M"}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one file of `folder` was and should be: its content, and its permission bits.

    `rules` are the ids of the rules that ask for it; `why` says in a sentence what is put right.
    """

    folder: Path
    path: Path
    before: bytes
    after: bytes
    mode_before: int
    mode: int
    rules: tuple[str, ...]
    why: str

    @property
    def name(self) -> str:
        """The path in the folder."""
        return self.path.relative_to(self.folder).as_posix()


def inside(folder: Path, path: Path) -> Path | None:
    """The regular file that the path leads to; None if there is none, or if it lies outside of the folder."""
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(os.path.realpath(folder)):
        return None
    return real if real.is_file() else None


def diff(changes: Iterable[Change]) -> str:
    """What the changes would do, as a unified diff with a/ and b/ before the names."""
    return "".join(line for change in changes for line in _diff(change))


def apply(changes: Iterable[Change]) -> None:
    """Write them, each file whole or not at all; its owner is kept. Nothing is written if one of them cannot be.

    Raises:
        Conflict: a file is not as it was when the change was made up.
        Refused: it leads out of the folder, or cannot be written.
    """
    chosen = tuple(changes)
    targets = [_unchanged(change) for change in chosen]
    for change, target in zip(chosen, targets, strict=True):
        try:
            _replace(target, change)
        except OSError as error:
            raise Refused(f"cannot write {change.path}: {error.strerror}") from error


def _diff(change: Change) -> Iterator[str]:
    if change.mode != change.mode_before:
        yield f"old mode 100{change.mode_before:03o} {change.name}\nnew mode 100{change.mode:03o} {change.name}\n"
    before, after = (_text(data).splitlines(keepends=True) for data in (change.before, change.after))
    lines = difflib.unified_diff(_by_newline(before), _by_newline(after), f"a/{change.name}", f"b/{change.name}")
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n"


def _by_newline(lines: list[str]) -> list[str]:
    """Lines that end at a newline only; what else Python takes for the end of one stays inside."""
    return [line for line in "".join(lines).replace("\n", "\n\0").split("\0") if line]


def _text(data: bytes) -> str:
    encoding = json.detect_encoding(data)
    for each in ("utf-8", *([encoding] if encoding.startswith(("utf-16", "utf-32")) else []), "gb18030"):
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode(each).translate(_PICTURES)
    return data.decode("latin-1").translate(_PICTURES)


def _unchanged(change: Change) -> Path:
    target = inside(change.folder, change.path)
    if target is None:
        raise Refused(f"{change.path} is no file inside {change.folder}", hint="links that lead out are not followed")
    try:
        found, mode = target.read_bytes(), stat.S_IMODE(target.stat().st_mode)
    except OSError as error:
        raise Refused(f"cannot read {change.path}: {error.strerror}") from error
    if found != change.before or mode != change.mode_before:
        raise Conflict(f"{change.path} was changed meanwhile", hint="look at the diff again")
    return target


def _replace(target: Path, change: Change) -> None:
    if change.after == change.before:
        target.chmod(change.mode)
        return
    owner = target.stat()
    descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as work:
            work.write(change.after)
            work.flush()
            # Only root can give a file away; anybody else keeps the file as its own.
            with contextlib.suppress(PermissionError):
                os.fchown(work.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(work.fileno(), change.mode)
            os.fsync(work.fileno())
        Path(beside).replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(beside).unlink()
