"""A folder of this machine as storage; links out of it are never followed, whoever made them."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import os
import stat
from typing import TYPE_CHECKING

from mooring.contract.node import shortened
from mooring.errors import Conflict, Denied, Invalid, MooringError, NotFound, Unavailable
from mooring.storage.entered import Entered
from mooring.storage.naming import is_hidden, require_inside
from mooring.storage.replacing import File, put, put_stream, settle
from mooring.storage.storage import CHUNK_BYTES, Content, Entry
from mooring.storage.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path
    from typing import TypeVar

    from mooring.storage.address import Address

    T = TypeVar("T")

# A pipe would be waited for, and a device has no end.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
_CLOSED = -1
# Entries that one visit of a thread brings along.
_ENTRIES = 1000
_SENTENCES: dict[int, tuple[type[MooringError], str]] = {
    errno.ENOENT: (NotFound, "is not there"),
    errno.ENOTDIR: (NotFound, "is not there"),
    errno.EISDIR: (NotFound, "is a folder"),
    errno.ELOOP: (Denied, "is a link that leads elsewhere"),
    errno.EACCES: (Denied, "may not be used by us"),
    errno.EPERM: (Denied, "may not be used by us"),
    errno.EROFS: (Denied, "is on a file system that takes no writing"),
    errno.ENAMETOOLONG: (Invalid, "has a name that is too long for the file system"),
    errno.EILSEQ: (Invalid, "has a name that the file system does not take"),
    errno.ENOTEMPTY: (Conflict, "is a folder"),
}


class Folder:
    """What lies in a folder; one that does not exist yet comes to be with the first thing written there."""

    def __init__(self, address: Address, path: Path, *, apart: str = "") -> None:
        """Links may not lead to the folder `apart`, a whole path without links, even if it lies in this one."""
        self._address = address
        self._apart = f"{apart.rstrip('/')}/" if apart else ""
        self._root = os.path.realpath(path)
        # Whoever reads enters what is there, whoever writes makes it first.
        self._read_in, self._write_in = Entered(self._enter), Entered(self._make)

    @property
    def address(self) -> Address:
        """Where the folder is."""
        return self._address

    async def list(self) -> AsyncIterator[Entry]:
        """Each folder's names are held in memory while it is walked, and no more."""
        walk = self._walk()
        while batch := await self._work("", lambda: list(itertools.islice(walk, _ENTRIES)), quick=False):
            for entry in batch:
                yield entry

    @contextlib.asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Content]:
        """A small file is read in one visit of a thread."""
        require_inside(name)
        descriptor, size, first = await self._work(name, lambda: self._opened(name))
        try:
            yield Content(size, self._chunks(name, descriptor, size, first))
        finally:
            if descriptor != _CLOSED:
                os.close(descriptor)

    async def read(self, name: str, at_most: int) -> bytes | None:
        """All of a file if it has no more bytes than that, in one visit of a thread; else None. Raises as `open`."""
        require_inside(name)

        def whole() -> bytes | None:
            descriptor, size, first = self._opened(name)
            if descriptor == _CLOSED:
                return first if size <= at_most else None
            try:
                if size > at_most:
                    return None
                with open(descriptor, "rb", closefd=False) as file:
                    data = first + file.read(size - len(first))
            finally:
                os.close(descriptor)
            if len(data) < size:
                raise self._shorter(name)
            return data

        return await self._work(name, whole)

    async def write(self, name: str, content: bytes | AsyncIterator[bytes]) -> None:
        """Folders on the way are made; the file has no name until it is whole."""
        require_inside(name)
        if isinstance(content, bytes):
            await self._work(name, lambda: self._put(name, content))
            return
        # What a stream raises is its own, and no error of this folder.
        await put_stream(functools.partial(self._work, name), lambda: self._created(name), content)

    async def settle(self) -> None:
        """Let the disk have all that was written on its file system, whoever wrote it."""

        def sync() -> None:
            with contextlib.suppress(FileNotFoundError), _closed(self._read_in.descriptor("")) as root:
                settle(root)

        await self._work("", sync, quick=False)

    async def exists(self, name: str) -> bool:
        """Whether there is a file of that name, which a link out of the folder is not."""
        require_inside(name)

        def look() -> bool:
            with contextlib.suppress(OSError, Denied):
                return stat.S_ISREG(os.stat(self._inside(name)).st_mode)
            return False

        return await in_thread(look)

    async def is_empty(self) -> bool:
        """Whether there is nothing in it that is not hidden."""

        def look() -> bool:
            return not os.path.lexists(self._root) or next(self._walk(), None) is None

        return await self._work("", look, quick=False)

    async def delete(self, name: str) -> None:
        """Take the file away; a link is taken away itself."""
        require_inside(name)

        def remove() -> None:
            folder, base = os.path.split(name)
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(os.path.join(self._inside(folder) if folder else self._root, base))

        await self._work(name, remove)

    async def _chunks(self, name: str, descriptor: int, size: int, first: bytes) -> AsyncIterator[bytes]:
        given, data = 0, first
        while data:
            given += len(data)
            yield data
            if given >= size:
                break
            wanted = min(CHUNK_BYTES, size - given)
            data = await self._work(name, functools.partial(os.read, descriptor, wanted))
        if given < size:
            raise self._shorter(name)

    def _shorter(self, name: str) -> Conflict:
        return Conflict(f"{self._told(name)} became shorter while it was read", hint="leave it as it is, try again")

    def _opened(self, name: str) -> tuple[int, int, bytes]:
        """A descriptor, closed already where there is nothing more to read; the size; the first bytes."""
        descriptor = self._file(name)
        try:
            status = os.fstat(descriptor)
            self._require_file(name, status.st_mode)
            first = os.read(descriptor, min(CHUNK_BYTES, status.st_size))
        except BaseException:
            os.close(descriptor)
            raise
        if len(first) < status.st_size:
            return descriptor, status.st_size, first
        os.close(descriptor)
        return _CLOSED, status.st_size, first

    def _file(self, name: str) -> int:
        folder, base = os.path.split(name)
        try:
            with _closed(self._read_in.descriptor(folder)) as here:
                return os.open(base, _READ, dir_fd=here)
        except OSError as error:
            # A link is looked at by its whole way, and so is what is not there: its folder may be another by now.
            if error.errno not in (errno.ELOOP, errno.ENOENT):
                raise
            self._read_in.forget(folder)
            return os.open(self._inside(name), _READ)

    def _require_file(self, name: str, mode: int) -> None:
        if not stat.S_ISREG(mode):
            raise NotFound(f"{self._told(name)} is no file", hint="give the address of a file")

    def _walk(self) -> Iterator[Entry]:
        """Depth first; a folder sorts as its name with the slash, so that whole names come out in order."""
        waiting = [self._sorted("")]
        while waiting:
            entry = next(waiting[-1], None)
            if entry is None:
                waiting.pop()
            elif isinstance(entry, str):
                waiting.append(self._sorted(f"{entry}/"))
            else:
                yield entry

    def _sorted(self, prefix: str) -> Iterator[Entry | str]:
        """The files in one folder as entries, the folders in it as names, in order."""
        with os.scandir(os.path.join(self._root, prefix)) as found:
            names = [
                (os.fsencode(one.name) + (b"/" if one.is_dir(follow_symlinks=False) else b""), one.is_symlink())
                for one in found
                if not is_hidden(one.name)
            ]
        names.sort()
        for encoded, link in names:
            name = self._readable(prefix, encoded)
            if name.endswith("/"):
                yield name[:-1]
            elif (size := self._size(name, link=link)) is not None:
                yield Entry(name, size)

    def _size(self, name: str, *, link: bool) -> int | None:
        """Of a file, or of the file in this folder that a link leads to; None for all else."""
        try:
            status = os.stat(self._inside(name) if link else os.path.join(self._root, name), follow_symlinks=link)
        except (OSError, Denied):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def _readable(self, prefix: str, encoded: bytes) -> str:
        try:
            return prefix + encoded.decode()
        except UnicodeDecodeError:
            where = f" in {prefix}" if prefix else ""
            raise Invalid(f"the name of the file {encoded!r}{where} is not UTF-8", hint="rename it") from None

    def _inside(self, name: str) -> str:
        """Where the name leads to, links followed; Denied if that is not in the folder."""
        path = os.path.realpath(os.path.join(self._root, name))
        if not path.startswith(self._root.rstrip("/") + "/"):
            raise Denied(
                f"{self._told(name)} is a link that leads out of its folder", hint="put the file there instead"
            )
        if self._apart and f"{path}/".startswith(self._apart):
            raise Denied(f"{self._told(name)} leads to what is kept apart", hint="choose another file")
        return path

    def _enter(self, folder: str) -> int:
        return os.open(self._inside(folder) if folder else self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _make(self, folder: str) -> int:
        os.makedirs(self._root, exist_ok=True)
        if folder:
            os.makedirs(self._inside(folder), exist_ok=True)
        return self._enter(folder)

    def _created(self, name: str) -> File:
        """A new file of that name, its folders made. A link that has the name is never followed, but replaced."""
        folder, base = os.path.split(name)
        try:
            return File(self._write_in.descriptor(folder), base)
        except FileNotFoundError:
            # Somebody took the folder away.
            self._write_in.forget(folder)
            return File(self._write_in.descriptor(folder), base)

    def _put(self, name: str, content: bytes) -> None:
        try:
            put(self._created(name), content)
        except FileNotFoundError:
            put(self._created(name), content)

    async def _work(self, name: str, work: Callable[[], T], *, quick: bool = True) -> T:
        try:
            return await in_thread(work, quick=quick)
        except OSError as error:
            kind, sentence = _SENTENCES.get(error.errno or 0, (Unavailable, f"cannot be used: {error.strerror}"))
            raise kind(f"{self._told(name)} {sentence}") from error

    def _told(self, name: str) -> str:
        return shortened(f"{str(self._address).rstrip('/')}/{name}".rstrip("/"), 300)


@contextlib.contextmanager
def _closed(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
