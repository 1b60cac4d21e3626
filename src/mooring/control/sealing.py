"""Secrets that must be known again later, sealed with a key that is not in the database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mooring.control.private_file import read_private, write_private
from mooring.errors import Conflict, Invalid

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "secret.key"
KEY_BYTES = 32
NONCE_BYTES = 12
# The first byte of what is sealed, so that there may be another way one day.
FORM = b"\x01"


class Sealing:
    """Seals a secret for the row that it belongs to, with the key in DATA/secret.key (mode 0600)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, data: Path) -> Sealing:
        """The sealing of the platform in the folder `data`; its key is made when there is none.

        Refused when the file can be read by others, Invalid when it holds no key.
        """
        file = data / FILE_NAME
        text = read_private(file)
        if text is None:
            write_private(file, os.urandom(KEY_BYTES).hex().encode() + b"\n", replace=False)
            text = read_private(file) or b""
        try:
            key = bytes.fromhex(text.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise Invalid(
                f"{file} does not hold a key of {2 * KEY_BYTES} hex digits",
                hint="restore it; without it the key pairs in the database cannot be used again",
            )
        return cls(key)

    def seal(self, secret: str, *, owner: str) -> bytes:
        """The secret, such that only this key and this owner open it again."""
        nonce = os.urandom(NONCE_BYTES)
        return FORM + nonce + self._cipher.encrypt(nonce, secret.encode(), FORM + owner.encode())

    def unseal(self, sealed: bytes, *, owner: str) -> str:
        """The secret again. Conflict (case `sealed-by-another-key`) when it was sealed otherwise."""
        form, nonce, rest = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, rest, form + owner.encode()).decode()
        except (InvalidTag, ValueError):  # a nonce that was cut short is a ValueError
            raise Conflict(
                f"the secret of {owner} was sealed with another key than the one in {FILE_NAME}",
                hint="restore that file, or revoke this key pair and make a new one",
                case="sealed-by-another-key",
            ) from None
