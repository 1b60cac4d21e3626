"""What a build sends to the engine: layers of files with fixed times, owners and modes, and the Dockerfile on top."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from mooring.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The same files give the same layers whenever they are built. 1980 is the first year a zip archive can hold.
MTIME = 315532800
FOLDER_MODE, FILE_MODE, PROGRAM_MODE, SHARED_FOLDER_MODE = 0o755, 0o644, 0o755, 0o1777


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file, folder or link at `path` in the image (no leading slash), from a file or from bytes."""

    path: str
    source: Path | None = None
    content: bytes | None = None
    link: str = ""
    executable: bool = False
    writable: bool = False

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: it has neither content nor a target."""
        return self.source is None and self.content is None and not self.link

    @property
    def mode(self) -> int:
        """Readable for the user the container runs as; writable for nobody but root, unless it is said."""
        if self.writable:
            return SHARED_FOLDER_MODE
        return FOLDER_MODE if self.is_folder else PROGRAM_MODE if self.executable else FILE_MODE


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One COPY of the Dockerfile: `items` are laid over the image's root."""

    name: str
    purpose: str
    items: tuple[Item, ...]
    key: str = ""
    """Changes when the content does; empty where nobody asks."""

    def complete(self) -> Iterator[Item]:
        """The items by path, with every folder above them; so that folders, too, get their fixed time."""
        by_path = {item.path: item for item in self.items}
        for path in list(by_path):
            for parent in PurePosixPath(path).parents:
                if parent.name:
                    by_path.setdefault(str(parent), Item(path=str(parent)))
        return (by_path[path] for path in sorted(by_path, key=lambda path: path.split("/")))


@dataclass(frozen=True, kw_only=True)
class Context:
    """A Dockerfile and the layers it copies."""

    dockerfile: str
    layers: tuple[Layer, ...]

    def write_tar(self, stream: IO[bytes]) -> None:
        """Write the context as a tar stream: nothing is laid down on disk, so weights are never there twice."""
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, "Dockerfile", Item(path="Dockerfile", content=self.dockerfile.encode()))
            for layer in self.layers:
                _add(tar, layer.name, Item(path=layer.name))
                for item in layer.complete():
                    _add(tar, f"{layer.name}/{item.path}", item)

    def write_folder(self, folder: Path, *, share: bool = False) -> None:
        """Write the context into an empty folder; `share` links to the files that can stay as they are."""
        (folder / "Dockerfile").write_text(self.dockerfile, encoding="utf-8")
        for layer in self.layers:
            top = folder / layer.name
            top.mkdir(mode=FOLDER_MODE)
            folders = [top]
            for item in layer.complete():
                target = top / item.path
                _place(item, target, share=share)
                if item.is_folder:
                    folders.append(target)
            for made in reversed(folders):
                os.utime(made, (MTIME, MTIME))


def folder_items(folder: Path, prefix: str) -> tuple[Item, ...]:
    """Every file below `folder`, to lie below `prefix` in the image. For folders of our own making: no links."""
    return tuple(_below(folder, prefix, _everything(folder)))


def _everything(folder: Path) -> Iterable[Path]:
    for here, _, names in os.walk(folder):
        yield from (Path(here) / name for name in names)


def _below(folder: Path, prefix: str, files: Iterable[Path]) -> Iterator[Item]:
    for file in sorted(files):
        executable = bool(file.lstat().st_mode & stat.S_IXUSR)
        yield Item(path=f"{prefix}/{file.relative_to(folder).as_posix()}", source=file, executable=executable)


def _add(tar: tarfile.TarFile, name: str, item: Item) -> None:
    entry = tarfile.TarInfo(name)
    entry.mtime, entry.mode = MTIME, item.mode
    if item.is_folder:
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    elif item.link:
        entry.type, entry.linkname = tarfile.SYMTYPE, item.link
        tar.addfile(entry)
    elif item.content is not None:
        entry.size = len(item.content)
        tar.addfile(entry, io.BytesIO(item.content))
    else:
        with _opened(item) as file:
            entry.size = os.fstat(file.fileno()).st_size
            tar.addfile(entry, file)


def _opened(item: Item) -> IO[bytes]:
    # Between the walk and now somebody may have put a link or a pipe in the file's place: neither is followed.
    path = item.source or Path()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refused(f"{path} is not a file any more")
    return os.fdopen(descriptor, "rb")


def _place(item: Item, target: Path, *, share: bool) -> None:
    if item.is_folder:
        target.mkdir(mode=FOLDER_MODE, exist_ok=True)
        return
    if item.link:
        target.symlink_to(item.link)
        return
    if item.content is not None:
        target.write_bytes(item.content)
    elif share and item.source and _can_share(item) and _linked(item.source, target):
        return
    else:
        with _opened(item) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    target.chmod(item.mode)
    os.utime(target, (MTIME, MTIME))


def _can_share(item: Item) -> bool:
    # A link shares the mode with the file it links to, and that file is not ours to change.
    info = item.source.lstat() if item.source else None
    return info is not None and stat.S_ISREG(info.st_mode) and stat.S_IMODE(info.st_mode) == item.mode


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        return False
    return True
