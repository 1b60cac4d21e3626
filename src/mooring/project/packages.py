"""How packages get into an image without pip running there: resolved and fetched here, for the image's Python."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.errors import MooringError, Refused, Unavailable
from mooring.project.cache import cache_folder, digest, made_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mooring.project.requirements import Requirements

LOCK_FILE = "requirements.lock"
# Changes when what we do with a fetched package changes.
FORMAT = "1"


@dataclass(frozen=True, kw_only=True)
class Target:
    """What packages are fetched for: an interpreter, a platform, and the folder they will be in."""

    python: str
    platform: str
    magic: str
    folder: str


def locked(
    wanted: Requirements, root: Path, *, target: Target, find_links: Sequence[Path], say: Callable[[str], None]
) -> str:
    """The lock for `wanted`: its own text if it is one, else `requirements.lock`, made anew where it no longer fits.

    Raises:
        Refused: there is no set of wheels that satisfies the requirements.
        Unavailable: the package index does not answer.
    """
    if wanted.locked:
        return wanted.text
    file = root / LOCK_FILE
    kept = file.read_text(encoding="utf-8") if file.is_file() and not file.is_symlink() else ""
    wheels = [wheel.name for folder in find_links for wheel in sorted(folder.glob("*.whl"))]
    state = digest(wanted.text, target.python, target.platform, *wheels)
    head = f"# {LOCK_FILE} of mooring build, from {wanted.origin}: Python {target.python}, {target.platform}, {state}"
    if kept.partition("\n")[0] == head:
        return kept
    say(f"resolving {wanted.origin} for Python {target.python} on {target.platform}")
    resolved = _compile(wanted, kept, root, target=target, find_links=find_links)
    text = "\n".join(
        (head, "# Commit it: with it, the next build installs exactly the same.", *wanted.index_options, "")
    )
    text += resolved
    try:
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"{file} cannot be written: {error.strerror}", hint="lock requirements.txt with hashes"
        ) from error
    say(f"wrote {LOCK_FILE}: commit it, and the next build installs the same")
    return text


def _compile(wanted: Requirements, kept: str, root: Path, *, target: Target, find_links: Sequence[Path]) -> str:
    with tempfile.TemporaryDirectory(prefix="mooring-lock-") as work:
        # uv keeps the versions it finds in the file it writes to: a changed requirement moves itself and nothing else.
        output = Path(work) / LOCK_FILE
        output.write_text(kept, encoding="utf-8")
        _uv(
            *("pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate"),
            *("--no-emit-index-url", "--no-emit-find-links", "--output-file", str(output)),
            *_fetching(target, find_links),
            "-",
            cwd=root,
            given=wanted.text,
        )
        return output.read_text(encoding="utf-8")


def installed(
    lock: str, root: Path, *, target: Target, find_links: Sequence[Path] = (), say: Callable[[str], None]
) -> Path:
    """A folder with the packages of a lock, from the cache when they were fetched before; else `say` gets a line.

    Raises:
        Refused: a package is not to be had as a wheel for the target, or its hash is another.
        Unavailable: the package index does not answer.
    """
    ours = _compiles_for(target)
    key = digest(FORMAT, lock, target.python, target.platform, target.folder, target.magic if ours else "")
    folder = cache_folder() / "packages" / key
    with made_once(folder) as work:
        if work is not None:
            count = len(re.findall(r"^[A-Za-z0-9]", lock, re.MULTILINE))  # hashes are indented, options begin with '-'
            say(f"fetching and installing {count} package{'' if count == 1 else 's'}")
            _fetch(lock, work, root, target=target, find_links=find_links)
            if ours:
                compile_modules(work, target.folder)
    return folder


def _fetch(lock: str, work: Path, root: Path, *, target: Target, find_links: Sequence[Path]) -> None:
    asked = (
        *("pip", "install", "--quiet", "--target", str(work), "--no-deps", "--require-hashes"),
        *_fetching(target, find_links),
        *("--requirements", "-"),
    )
    try:
        # A lock says exactly what to install, so what was fetched before for another project will do.
        _uv(*asked, "--offline", cwd=root, given=lock)
    except MooringError:
        _uv(*asked, cwd=root, given=lock)
    (work / ".lock").unlink(missing_ok=True)


def _fetching(target: Target, find_links: Sequence[Path]) -> tuple[str, ...]:
    return (
        *("--python", sys.executable, "--python-version", target.python, "--python-platform", target.platform),
        *("--only-binary", ":all:"),
        *(part for folder in find_links for part in ("--find-links", str(folder))),
    )


def _compiles_for(target: Target) -> bool:
    return target.magic == MAGIC_NUMBER.hex()


def compile_modules(folder: Path, place: str) -> None:
    """Compile the modules below `folder`, which will be `place` in the image, where nobody may write.

    Done only by the same Python that will load them; unchecked, since nothing in an image changes.
    """
    asked = (
        *(sys.executable, "-s", "-P", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(folder), "-p", place, str(folder)),
    )
    # Without a fixed seed the order of sets would differ from one compilation to the next. Its exit code is about files
    # that no Python 3 can compile, which some packages carry along.
    subprocess.run(asked, capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"})


def version_of(distribution: str) -> str:
    """The installed version of one of our two distributions."""
    return importlib.metadata.version(distribution)


def _uv(*arguments: str, cwd: Path, given: str) -> None:
    import uv  # noqa: PLC0415 - a binary that only a build needs

    # From the project's folder, so that relative paths in its requirements mean what they mean to pip.
    done = subprocess.run(
        (uv.find_uv_bin(), *arguments),
        input=given,
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise _failure(done.stderr.strip())


def _failure(said: str) -> MooringError:
    low = said.lower()
    if any(words in low for words in ("request failed", "failed to fetch", "error sending request", "client error")):
        return Unavailable(
            f"the package index does not answer:\n  {said}",
            hint="name a mirror with UV_INDEX_URL, or put wheels into the project's folder wheels/",
        )
    if any(
        words in low
        for words in ("no usable wheels", "wheels are required", "building source distributions", "no wheels with")
    ):
        return Refused(
            f"not everything is to be had as a wheel, and nothing is compiled while an image is built:\n  {said}",
            hint="on a machine like the image: pip wheel NAME -w wheels/ ; put the folder wheels/ into the project",
        )
    return Refused(f"the packages cannot be installed:\n  {said}", hint="change requirements.txt (or dependencies)")
