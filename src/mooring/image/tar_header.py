"""The 512 bytes before each entry of a tar archive: numbers, names, and whether they are such bytes at all."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from mooring.errors import Invalid

BLOCK = 512
ZERO_BLOCK = bytes(BLOCK)
# What a file may claim to hold; Linux knows no larger.
MAX_SIZE = (1 << 63) - 1
MAX_NUMBER = 0xFFFF_FFFF
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s8s")
_ADLER_BASE = 65521


class Header(NamedTuple):
    """One header as written; `kind` is the type flag, `prefix` the front of a name that was too long for its field."""

    name: bytes
    kind: bytes
    size: int
    mode: int
    uid: int
    gid: int
    target: bytes


def header(block: bytes) -> Header:
    """What a block of 512 bytes says. Invalid when it is no header, or its size is none."""
    name, mode, uid, gid, size, _mtime, checksum, kind, target, magic = _FIELDS.unpack_from(block)
    if not _sums_up(block, number(checksum, "checksum")):
        raise Invalid("a header whose checksum is wrong")
    name = name.split(b"\0", 1)[0]
    # In GNU's form and older ones, other things than a prefix stand at that place.
    if magic[:6] == b"ustar\0":
        prefix = block[345 : 476 if block[508:512] == b"tar\0" else 500].split(b"\0", 1)[0]
        name = prefix + b"/" + name if prefix else name
    return Header(
        name=name,
        kind=kind,
        size=size_of(size),
        mode=number(mode, "mode") & 0o7777,
        uid=_identity(uid, "uid"),
        gid=_identity(gid, "gid"),
        target=target.split(b"\0", 1)[0],
    )


def is_header(block: bytes) -> bool:
    """Whether it is as long as a header and adds up to the checksum in it; what else it says may still be wrong."""
    try:
        return len(block) == BLOCK and _sums_up(block, number(block[148:156], "checksum"))
    except Invalid:
        return False


def number(field: bytes, what: str) -> int:
    """The number in a field: octal digits, or, where it would not fit, 256 to the base with the first bit set."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    digits = field.split(b"\0", 1)[0].strip()
    try:
        # int() would take signs, underscores and 0o as well.
        return int(digits, 8) if digits.isdigit() else _nothing(digits)
    except ValueError:
        raise Invalid(f"a header whose {what} is {field!r}, no octal number") from None


def _nothing(digits: bytes) -> int:
    if digits:
        raise ValueError
    return 0


def size_of(field: bytes, what: str = "size") -> int:
    """The number in a field, as a size in bytes."""
    return checked_size(number(field, what), what)


def checked_size(size: int, what: str = "size") -> int:
    """That number, if a file can be so large; Invalid otherwise."""
    if not 0 <= size <= MAX_SIZE:
        raise Invalid(f"a header whose {what} is {size}, which no file has")
    return size


def clamped_id(value: int) -> int:
    """A user's or group's number as far as Linux knows them; what is beyond cannot be extracted as it stands."""
    return min(max(value, 0), MAX_NUMBER)


def _identity(field: bytes, what: str) -> int:
    return clamped_id(number(field, what))


def _sums_up(block: bytes, claimed: int) -> bool:
    """Whether the bytes of the header, with blanks for the checksum, add up to it; some old writers took them signed.

    An Adler checksum's lower half is 1 and the sum of all bytes, modulo 65521: many times faster than `sum`. What
    agrees there and still differs was made so on purpose, and a checksum without a key never stood against that.
    """
    blanks = 8 * ord(" ") - sum(block[148:156])
    if 0 <= claimed <= BLOCK * 255 and ((zlib.adler32(block) & 0xFFFF) - 1 + blanks - claimed) % _ADLER_BASE == 0:
        return True
    signed = struct.unpack("148b8x356b", block)
    return bool(sum(signed) + 8 * ord(" ") == claimed)
