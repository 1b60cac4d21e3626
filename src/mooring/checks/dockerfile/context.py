"""The folder that a builder sends along with a Dockerfile: what COPY can find in it, by the paths it has there."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.dockerfile.ignoring import Ignored, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# More files than any model has; what is beyond is not known.
MOST_FILES = 100_000
# What a rule reads, and what all of it may take.
LARGEST_READ = 256 << 10
MOST_READ = 32 << 20
_SIGNS = frozenset("*?[\\")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One file, folder or link that is sent; `mode` are its permission bits."""

    path: str
    size: int = 0
    mode: int = 0o644
    is_folder: bool = False
    is_link: bool = False


class BuildContext:
    """What lies in the folder and is not taken out by its .dockerignore. Links are not followed.

    `cut` tells that there was more than could be looked at.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cut = False
        self._read = 0
        own = (f"{name}.dockerignore" if name else ".dockerignore" for name in ("Dockerfile", ""))
        text = next((text for name in own if (text := self._bytes(name)) is not None), b"")
        self._ignored = Ignored.of(text.decode("utf-8", "replace"))
        self._sent = {one.path: one for one in self._walk("")}

    def matching(self, source: str) -> list[Sent]:
        """What the source of a COPY names: a path, or a pattern of paths. The folder itself is the path ""."""
        name = posixpath.normpath(posixpath.join("/", source)).lstrip("/")
        if not name:
            return [Sent(path="", is_folder=True)]
        if found := self._sent.get(name):
            return [found]
        wanted = pattern(name) if _SIGNS & set(name) else None
        return [one for path, one in self._sent.items() if wanted and wanted.fullmatch(path)]

    def below(self, folder: str) -> Iterator[Sent]:
        """What lies in a folder and in the folders in it."""
        return (one for path, one in self._sent.items() if not folder or path.startswith(f"{folder}/"))

    def content(self, sent: Sent) -> bytes | None:
        """The bytes of a small file; None for what is larger, is no file, or would be too much together."""
        if sent.is_folder or sent.is_link or sent.size > LARGEST_READ or self._read + sent.size > MOST_READ:
            return None
        self._read += sent.size
        return self._bytes(sent.path)

    def _bytes(self, name: str) -> bytes | None:
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(self.folder / name, flags), "rb") as file:
                regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
                data = file.read(LARGEST_READ + 1) if regular else b""
        except OSError:
            return None
        return data if regular and len(data) <= LARGEST_READ else None

    def _walk(self, folder: str) -> Iterator[Sent]:
        waiting, count = [folder], 0
        while waiting:
            here = waiting.pop()
            try:
                entries = sorted(os.scandir(self.folder / here), key=lambda entry: entry.name)
            except OSError:
                self.cut = True
                continue
            for entry in entries:
                path = f"{here}/{entry.name}" if here else entry.name
                out = path in self._ignored
                if count >= MOST_FILES:
                    self.cut = True
                    return
                count += 1
                info = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(info.st_mode)
                if is_folder and (not out or self._ignored.takes_back):
                    waiting.append(path)
                if not out:
                    other = not is_folder and not stat.S_ISREG(info.st_mode)
                    mode = stat.S_IMODE(info.st_mode)
                    yield Sent(path=path, size=info.st_size, mode=mode, is_folder=is_folder, is_link=other)
