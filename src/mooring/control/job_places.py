"""Where jobs may read and write: all that the storage settings allow, but for what the platform keeps for itself."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.errors import Denied
from mooring.storage import Kind, Places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mooring.storage import Address, Content, Storage, StorageSettings


class JobPlaces(Places):
    """Whoever may create a batch service may name any folder that the platform can read, but for its own."""

    def __init__(self, settings: StorageSettings, own: Path) -> None:
        super().__init__(settings)
        self._own = os.path.realpath(own)

    def place(self, address: Address) -> Storage:
        """As promised; Denied for a folder in which the platform's own lies, and for one in that."""
        if address.kind is Kind.FOLDER:
            self._require_apart(address, around=True)
        return super().place(address)

    @contextlib.asynccontextmanager
    async def open(self, address: Address) -> AsyncIterator[Content]:
        """As promised; Denied for a file in the platform's own folder."""
        self._require_no_way_in(address)
        async with super().open(address) as content:
            yield content

    def _holding(self, parent: Address) -> Storage:
        if parent.kind is Kind.FOLDER:
            self._require_apart(parent, around=False)
        return super().place(parent)

    def _require_no_way_in(self, address: Address) -> None:
        """Of a file that is no link, its folder says where it is, and that is looked at in `_holding`."""
        if address.kind is Kind.FOLDER and Path(address.key).is_symlink():
            self._require_apart(address, around=False)

    def _require_apart(self, address: Address, *, around: bool) -> None:
        path = os.path.realpath(address.key)
        inside = _is_in(path, self._own)
        if inside or (around and _is_in(self._own, path)):
            raise Denied(
                f"{address} {'is in' if inside else 'holds'} the folder that the platform keeps for itself",
                hint="choose another folder",
            )


def _is_in(path: str, folder: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
