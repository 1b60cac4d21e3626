"""Secrets that must be known again later, sealed with a key that is not in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "secret.key"


class Sealing:
    """Seals a secret for the row that it belongs to, with the key in DATA/secret.key (mode 0600)."""

    @classmethod
    def open(cls, data: Path) -> Sealing:
        """The sealing of the platform in the folder `data`; its key is made when there is none.

        Refused when the file can be read by others, Invalid when it holds no key.
        """
        raise NotImplementedError

    def seal(self, secret: str, *, owner: str) -> bytes:
        """The secret, such that only this key and this owner open it again."""
        raise NotImplementedError

    def unseal(self, sealed: bytes, *, owner: str) -> str:
        """The secret again. Conflict (case `sealed-by-another-key`) when it was sealed otherwise."""
        raise NotImplementedError
