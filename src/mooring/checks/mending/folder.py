"""What in a project folder can be put right without asking its author: config.json, run.sh, Dockerfile."""

from __future__ import annotations

import posixpath
import stat
from typing import TYPE_CHECKING

from mooring.checks.config_source import is_ours
from mooring.checks.dockerfile import read_dockerfile
from mooring.checks.mending import config_json, dockerfile, output, run_script
from mooring.checks.mending.change import Change, inside
from mooring.contract.decoding import MAX_BYTES
from mooring.contract.vocabulary import BOOT_FILE
from mooring.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mooring.contract import Edition

CONFIGS = ("config.json", "model/config.json")
DOCKERFILE = "Dockerfile"
DEFAULT_BOOT_FILE = "/home/run.sh"
EXECUTABLE = 0o111
# The rule that asks for programs that can be started.
EXECUTABLE_RULE = "IMG-BOOT-04"


def changes(folder: Path, edition: Edition) -> tuple[Change, ...]:
    """Every file of the folder that can be put right, as it is and as it should be; nothing is written.

    Links that lead out of the folder are left alone, and so is what cannot be read as what it should be.

    Raises:
        Refused: it is no folder, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise Refused(f"{folder} is no folder", hint="name the folder of a project")
    boot_file = edition.get(BOOT_FILE, DEFAULT_BOOT_FILE)
    try:
        found = [*_configs(folder), *_scripts(folder, boot_file), *_dockerfiles(folder, boot_file)]
    except OSError as error:
        raise Refused(f"cannot read {error.filename}: {error.strerror}") from error
    return tuple(sorted(found, key=lambda change: change.path))


def _configs(folder: Path) -> Iterator[Change]:
    # One of the two may be a link to the other.
    real = {inside(folder, folder / name): name for name in reversed(CONFIGS)}
    for name in real.values():
        content = _content(folder, folder / name)
        result = config_json.mended(content[0]) if content and is_ours(content[0]) else None
        if content and result:
            why = result.why
            if result.anew:
                why += "; it could not be mended in place, and is written anew in the clean form"
            yield _change(folder, folder / name, content, after=(result.data, content[1]), told=(result.rules, why))


def _scripts(folder: Path, boot_file: str) -> Iterator[Change]:
    text = _content(folder, folder / DOCKERFILE)
    built = read_dockerfile(text[0].decode("utf-8", "replace")) if text else None
    name = (built.source_of(boot_file) if built else "") or posixpath.basename(boot_file)
    content = _content(folder, folder / name)
    if content is None or not content[0].strip():
        return
    data, done = run_script.mended(content[0])
    # `sh run.sh` reads the file; only what is started by its own name must be executable.
    alone = built is None or built.config.command[:1] == (boot_file,)
    mode = content[1] | (content[1] & 0o444) >> 2 if alone and not content[1] & EXECUTABLE else content[1]
    if mode != content[1]:
        words = "a mode that lets it be executed"
        done[EXECUTABLE_RULE] = f"{done[EXECUTABLE_RULE]}, {words}" if EXECUTABLE_RULE in done else words
    if done:
        yield _change(folder, folder / name, content, after=(data, mode), told=_told(done))


def _dockerfiles(folder: Path, boot_file: str) -> Iterator[Change]:
    content = _content(folder, folder / DOCKERFILE)
    if content is None:
        return
    data, done = dockerfile.mended(content[0].decode("utf-8", "surrogateescape"), boot_file=boot_file)
    data, more = output.mended(data, lambda name: _bytes(folder, name), boot_file=boot_file)
    done |= more
    if done:
        after = (data.encode("utf-8", "surrogateescape"), content[1])
        yield _change(folder, folder / DOCKERFILE, content, after=after, told=_told(done))


def _bytes(folder: Path, name: str) -> bytes | None:
    content = _content(folder, folder / name) if name else None
    return content[0] if content else None


def _told(done: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    return tuple(sorted(done)), ", ".join(done.values())


def _content(folder: Path, path: Path) -> tuple[bytes, int] | None:
    """The bytes and the permission bits of a file; None if it is none, lies elsewhere, or is too large to be one."""
    real = inside(folder, path)
    if real is None or real.stat().st_size > MAX_BYTES:
        return None
    return real.read_bytes(), stat.S_IMODE(real.stat().st_mode)


def _change(
    folder: Path, path: Path, before: tuple[bytes, int], *, after: tuple[bytes, int], told: tuple[tuple[str, ...], str]
) -> Change:
    return Change(
        folder=folder,
        path=path,
        before=before[0],
        after=after[0],
        mode_before=before[1],
        mode=after[1],
        rules=told[0],
        why=told[1],
    )
