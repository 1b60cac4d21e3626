"""Where jobs may read and write: all that the storage settings allow, but for what the platform keeps for itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mooring.errors import Denied
from mooring.storage import Kind, Places

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.storage import Address, Storage, StorageSettings


class JobPlaces(Places):
    """Whoever may create a batch service may name any folder that the platform can read, but for its own."""

    def __init__(self, settings: StorageSettings, own: Path) -> None:
        self._own = os.path.realpath(own)
        super().__init__(settings, apart=self._own)

    def place(self, address: Address) -> Storage:
        """As promised; Denied for a folder in which the platform's own lies, and for one in that."""
        if address.kind is Kind.FOLDER:
            self._require_apart(address, around=True)
        return super().place(address)

    def _holding(self, parent: Address) -> Storage:
        """As promised: a file may lie beside the platform's own folder."""
        if parent.kind is Kind.FOLDER:
            self._require_apart(parent, around=False)
        return super().place(parent)

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
