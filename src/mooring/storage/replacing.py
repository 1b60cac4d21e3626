"""Files put in place whole: they have no name until they are, so that whatever ends us leaves nothing behind."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from mooring.storage.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_GATHERED_BYTES = 1024 * 1024
_LIBC = ctypes.CDLL(None, use_errno=True)


class Work(Protocol):
    """Do blocking work beside the event loop, and translate its errors."""

    async def __call__(self, work: Callable[[], Any], /) -> Any:
        """What the work returns."""


class File:
    """A file that is being written, and nobody else can see; if the file system cannot do that, under a hidden name."""

    def __init__(self, folder: int, name: str) -> None:
        """The file of that name in the folder of that descriptor, which is ours from now on."""
        self._folder, self._name = folder, name
        self._hidden = ""
        try:
            self._descriptor = self._created()
        except BaseException:
            os.close(folder)
            raise

    def _created(self) -> int:
        try:
            return os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666, dir_fd=self._folder)
        except FileNotFoundError:
            raise
        except OSError:
            self._hidden = _hidden()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            return os.open(self._hidden, flags, 0o666, dir_fd=self._folder)

    def write(self, data: bytes) -> None:
        """Write more of it."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def put(self) -> None:
        """Give the file its name, in place of what had it."""
        if not self._hidden:
            try:
                self._link(self._name)
            except FileExistsError:
                # Only a rename replaces.
                self._hide()
        if self._hidden:
            try:
                self._replace()
            except FileNotFoundError:
                # Somebody else writes the same, and took ours for what a killed writer left.
                self._hidden = _hidden()
                self._link(self._hidden)
                self._replace()
            self._hidden = ""

    def _hide(self) -> None:
        """Give it a hidden name: the same for the same file, so that what a killed writer left goes with the next."""
        self._hidden = f".{hashlib.blake2b(os.fsencode(self._name), digest_size=16).hexdigest()}.part"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._hidden, dir_fd=self._folder)
        try:
            self._link(self._hidden)
        except FileExistsError:
            self._hidden = _hidden()
            self._link(self._hidden)

    def _replace(self) -> None:
        os.replace(self._hidden, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def _link(self, name: str) -> None:
        os.link(f"/proc/self/fd/{self._descriptor}", name, dst_dir_fd=self._folder, follow_symlinks=True)

    def close(self) -> None:
        """Let go of it; what has no name by now is gone."""
        os.close(self._descriptor)
        if self._hidden:
            with contextlib.suppress(OSError):
                os.unlink(self._hidden, dir_fd=self._folder)
        os.close(self._folder)


def _hidden() -> str:
    return f".{secrets.token_hex(8)}.part"


def put(file: File, content: bytes) -> None:
    """Put a file's content in place."""
    with contextlib.closing(file):
        file.write(content)
        file.put()


async def put_stream(work: Work, create: Callable[[], File], content: AsyncIterator[bytes]) -> None:
    """Put in place what the stream gives; nothing happens to the file's name before its end, nor if it raises."""
    file: File | None = None
    gathered = bytearray()
    try:
        async for data in content:
            gathered += data
            if len(gathered) >= _GATHERED_BYTES:
                part, gathered = bytes(gathered), bytearray()
                file = file or await work(create)
                await work(functools.partial(file.write, part))
        if file is None:
            await work(lambda: put(create(), bytes(gathered)))
        else:
            await work(functools.partial(file.write, bytes(gathered)))
            await work(file.put)
    finally:
        if file is not None:
            await in_thread(file.close)


def settle(folder: int) -> None:
    """Return when all that was written on the folder's file system outlives a power failure."""
    syncfs = getattr(_LIBC, "syncfs", None)
    if syncfs is None:
        os.sync()
    elif syncfs(folder):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
