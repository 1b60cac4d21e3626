"""Where members of archives begin in a stream of bytes: found by their headers, wherever they stand.

A reader of a zip file believes its central directory, at the end; one that streams believes the sizes in the headers
before the members. Where the two disagree, one of them is deceived, so neither is believed here: whatever looks like
the header of a member begins a member, also inside another one. Headers of tar members are found in the same way.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import yara_x

from mooring.checks.scanning.yara_thread import PerThread

ZIP_HEADER = 30
PLAIN = -1
TAR_BLOCK = 512
_ENCRYPTED = 0x01
_KNOWN_VERSION, _UNUSED_FLAGS, _MONTHS, _DEFLATED = 63, 0xD780, 12, 8
_LONGEST_NAME = 4096
_ZIP, _TAR = re.compile(rb"PK\x03\x04"), re.compile(rb"ustar")
_TAR_MAGIC = 257
# The same two, for a search that is ten times as fast as two, and only says whether there is any.
_EITHER = 'rule either { strings: $zip = { 50 4B 03 04 } $tar = "ustar" condition: any of them }'
# A signature may be cut by the end of a block; the header of a tar member begins before its own.
SIGNATURE = 5
OVERLAP = TAR_BLOCK


@dataclass(frozen=True, slots=True)
class Member:
    """The header of a member ends, and its data begins, at `start`. `method` is zip's number, PLAIN outside of zip."""

    start: int
    name: str
    method: int = PLAIN
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A header begins at `at`, and more bytes are needed to read it."""

    at: int


def headers(data: bytes, at: int) -> list[int]:
    """Where signatures of headers stand from `at` on, in order."""
    if not _may_hold_headers(data):
        return []
    # Two searches for plain bytes are ten times as fast as one for either.
    found = [match.start() for match in _ZIP.finditer(data, at)]
    return sorted([*found, *(match.start() for match in _TAR.finditer(data, at))])


def _may_hold_headers(data: bytes) -> bool:
    try:
        return bool(_searchers().scanner.scan(data).matching_rules)
    except (yara_x.TimeoutError, yara_x.ScanError):
        return True


@functools.cache
def _searchers() -> PerThread:
    return PerThread(yara_x.compile(_EITHER))


def member_at(data: bytes, at: int) -> Member | Incomplete | None:
    """The member whose signature stands at `at`; None when it only looks so."""
    return _zip_member(data, at) if data[at] == ord("P") else _tar_member(data, at - _TAR_MAGIC)


def _zip_member(data: bytes, at: int) -> Member | Incomplete | None:
    head = data[at : at + ZIP_HEADER]
    if len(head) < ZIP_HEADER:
        return Incomplete(at)
    flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    name_length, extra = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    if not 0 < name_length <= _LONGEST_NAME:
        return None
    start = at + ZIP_HEADER + name_length + extra
    if start > len(data):
        return Incomplete(at)
    name = data[at + ZIP_HEADER : at + ZIP_HEADER + name_length].decode("utf-8", "surrogateescape")
    encrypted = bool(flags & _ENCRYPTED)
    if not _is_surely_a_member(head, flags, name):
        method, encrypted = _DEFLATED, False
    return Member(start, name.encode("utf-8", "replace").decode(), method, encrypted)


def _is_surely_a_member(head: bytes, flags: int, name: str) -> bool:
    """What is told of must be; what is looked into need not."""
    date = int.from_bytes(head[12:14], "little")
    month, day = date >> 5 & 15, date & 31
    dated = not date or (0 < month <= _MONTHS and day > 0)
    return dated and head[4] <= _KNOWN_VERSION and not flags & _UNUSED_FLAGS and name.isprintable()


def _tar_member(data: bytes, at: int) -> Member | Incomplete | None:
    if at < 0:
        return None
    head = data[at : at + TAR_BLOCK]
    if len(head) < TAR_BLOCK:
        return Incomplete(at)
    try:
        checksum = int(head[148:156].split(b"\0")[0].strip() or b"x", 8)
    except ValueError:
        return None
    if sum(head) - sum(head[148:156]) + 8 * ord(" ") != checksum:
        return None
    return Member(at + TAR_BLOCK, head[:100].split(b"\0")[0].decode("utf-8", "replace"))
