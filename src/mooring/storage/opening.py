"""From an address to what lies there, by the settings."""

from __future__ import annotations

import contextlib
import copy
import os
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from mooring.errors import Denied, Invalid, Refused
from mooring.storage.address import Address, Kind
from mooring.storage.bucket import Bucket, s3_store
from mooring.storage.folder import Folder
from mooring.storage.link import open_link
from mooring.storage.memory import MemoryStorage
from mooring.storage.settings import StorageSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from obstore.store import S3Store

    from mooring.storage.storage import Content, Storage

# Folders that are remembered at most.
_ENTERED = 16


class Places:
    """Everything that addresses can lead to; connections to buckets are kept and shared."""

    def __init__(self, settings: StorageSettings | None = None, *, apart: str = "") -> None:
        """No link in a folder leads to the folder `apart`, a whole path without links."""
        self._settings = settings or StorageSettings()
        self._apart = apart
        self._stores: dict[str, S3Store] = {}
        self._held: dict[str, bytes] = {}
        self._entered: OrderedDict[str, Storage] | None = None

    def remembering(self) -> Self:
        """The same places, for many files in a row: folders that were entered are not looked up again for each.

        Not for long: what is moved or linked to elsewhere meanwhile may be read where it was.
        """
        same = copy.copy(self)
        same._entered = OrderedDict()  # noqa: SLF001 - it is one of ours
        return same

    def place(self, address: Address) -> Storage:
        """The folder, or what lies below the prefix, at the address, which need not exist.

        Denied for a folder outside those that the settings allow, Refused for a signed link, which is no place, and
        Invalid for an https address where no endpoint is set.
        """
        match address.kind:
            case Kind.FOLDER:
                return Folder(address, self._allowed(Path(address.key)), apart=self._apart)
            case Kind.MEMORY:
                return MemoryStorage(address, self._held)
            case Kind.BUCKET:
                return Bucket(address, self._store(address))
            case Kind.LINK:
                raise Refused(f"{address} is a signed link to one file", hint="links can stand in a manifest only")

    @contextlib.asynccontextmanager
    async def open(self, address: Address) -> AsyncIterator[Content]:
        """Give out the one file or object at the address; raises what `Storage.open` and `place` raise."""
        if address.is_folder:
            raise Invalid(f"{address} is a folder", hint="give the address of a file")
        if address.kind is Kind.LINK:
            self._require_link_host(address)
            async with open_link(address) as content:
                yield content
            return
        async with self._around(address).open(address.name) as content:
            yield content

    async def read(self, address: Address, at_most: int) -> bytes | None:
        """All of the one file at the address if it has no more bytes than that, else None; raises as `open`."""
        if address.kind is Kind.FOLDER and not address.is_folder:
            around = self._around(address)
            if isinstance(around, Folder):
                return await around.read(address.name, at_most)
        async with self.open(address) as content:
            return b"".join([one async for one in content.chunks]) if content.size <= at_most else None

    def _around(self, address: Address) -> Storage:
        """Where the one file at the address lies."""
        if self._entered is None or address.kind is not Kind.FOLDER:
            return self._holding(address.parent())
        folder = address.key.rpartition("/")[0]
        found = self._entered.get(folder)
        if found is None:
            found = self._entered[folder] = self._holding(address.parent())
            if len(self._entered) > _ENTERED:
                self._entered.popitem(last=False)
        return found

    def _holding(self, parent: Address) -> Storage:
        """The place that a file lies in; raises what `place` raises."""
        return self.place(parent)

    def _store(self, address: Address) -> S3Store:
        if address.scheme in ("http", "https") and not self._settings.endpoint:
            raise Invalid(
                f"{address} is in object storage, and no endpoint is set", hint="set MOORING_STORAGE_ENDPOINT"
            )
        if address.bucket not in self._stores:
            self._stores[address.bucket] = s3_store(address.bucket, self._settings)
        return self._stores[address.bucket]

    def _allowed(self, path: Path) -> Path:
        folders = self._settings.folders
        real = os.path.realpath(path)
        if folders is None or any(f"{real}/".startswith(os.path.realpath(one).rstrip("/") + "/") for one in folders):
            return path
        raise Denied(
            f"file://{path} is outside the folders that may be used here",
            hint=f"use one of {', '.join(map(str, folders)) or 'object storage'}, or allow the folder in the settings",
        )

    def _require_link_host(self, address: Address) -> None:
        """A link makes us ask whatever host it names, and hosts behind our firewall are not for everyone to reach."""
        endpoint = urlsplit(self._settings.endpoint)
        allowed = [*self._settings.link_hosts, endpoint.netloc]
        host = address.host.lower()
        if not any(one and (host == one.lower() or host.endswith(f".{one.lower()}")) for one in allowed):
            raise Denied(f"signed links may not lead to {host}", hint="add the host to MOORING_STORAGE_LINK_HOSTS")
        if address.scheme == "http" and endpoint.scheme != "http":
            raise Denied(f"{address} would be read over plain http", hint="use a link that begins with https://")
