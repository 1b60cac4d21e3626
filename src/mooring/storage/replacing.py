"""Files put in place whole: they have no name until they are, so that whatever ends us leaves nothing behind."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from mooring.storage.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_GATHERED_BYTES = 1024 * 1024


class Work(Protocol):
    """Do blocking work beside the event loop, and translate its errors."""

    async def __call__(self, work: Callable[[], Any], /) -> Any:
        """What the work returns."""


class _File:
    """A file that is being written, and nobody else can see; if the file system cannot do that, under a hidden name."""

    def __init__(self, target: str) -> None:
        self._folder, self._target = os.path.dirname(target), target
        self._named = ""
        try:
            self._descriptor = os.open(self._folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except OSError:
            self._named = self._hidden()
            self._descriptor = os.open(self._named, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def _hidden(self) -> str:
        return os.path.join(self._folder, f".{secrets.token_hex(8)}.part")

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def put(self, *, durable: bool) -> None:
        """Give the file its name, in place of what had it."""
        if durable:
            os.fsync(self._descriptor)
        if not self._named:
            try:
                self._link(self._target)
            except FileExistsError:
                # Only a rename replaces.
                self._named = self._hidden()
                self._link(self._named)
        if self._named:
            os.replace(self._named, self._target)
            self._named = ""
        if durable:
            _sync_folder(self._folder)

    def _link(self, name: str) -> None:
        # With a descriptor, which an absolute path makes no use of, Python asks for what follows the link in /proc.
        os.link(f"/proc/self/fd/{self._descriptor}", name, src_dir_fd=self._descriptor, follow_symlinks=True)

    def close(self) -> None:
        os.close(self._descriptor)
        if self._named:
            with contextlib.suppress(OSError):
                os.unlink(self._named)


def put(target: str, content: bytes, *, durable: bool) -> None:
    """Put a file's content in place."""
    with contextlib.closing(_File(target)) as file:
        file.write(content)
        file.put(durable=durable)


async def put_stream(work: Work, target: Callable[[], str], content: AsyncIterator[bytes], durable: bool) -> None:  # noqa: FBT001 - handed on
    """Put in place what the stream gives; nothing happens to the file's name before its end, nor if it raises."""
    file: _File | None = None
    gathered = bytearray()
    try:
        async for data in content:
            gathered += data
            if len(gathered) >= _GATHERED_BYTES:
                part, gathered = bytes(gathered), bytearray()
                file = file or await work(lambda: _File(target()))
                await work(functools.partial(file.write, part))
        if file is None:
            await work(lambda: put(target(), bytes(gathered), durable=durable))
        else:
            await work(functools.partial(file.write, bytes(gathered)))
            await work(functools.partial(file.put, durable=durable))
    finally:
        if file is not None:
            await in_thread(file.close)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
