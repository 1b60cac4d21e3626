"""What stands before an entry of a tar archive when its own header is too small: long names, and PAX records."""

from __future__ import annotations

from mooring.errors import Invalid
from mooring.image.tar_header import checked_size

CAPABILITY = "SCHILY.xattr.security.capability"
# What a global header had better not change: container runtimes ignore it, other readers do not.
GLOBAL_RISKS = ("path", "linkpath", "size", "GNU.sparse.name")
_MAX_DIGITS = 20


class Extra:
    """The extra headers of one entry, as far as they came."""

    def __init__(self) -> None:
        self.records: dict[str, str] = {}
        self.name: str | None = None
        self.target: str | None = None

    def __bool__(self) -> bool:
        return bool(self.records) or self.name is not None or self.target is not None

    def take(self, kind: bytes, data: bytes) -> str:
        """Take in the body of one extra header; what is odd about it, if something is."""
        if kind == b"L":
            self.name = decoded(data.split(b"\0", 1)[0])
        elif kind == b"K":
            self.target = decoded(data.split(b"\0", 1)[0])
        elif kind in b"xX":
            self.records.update(records(data))
        else:
            named = sorted(set(records(data)).intersection(GLOBAL_RISKS))
            if named:
                return f"a header for all following entries names their {', '.join(named)}, as no runtime reads it"
        return ""

    def number(self, key: str) -> int | None:
        """The number of a record; None when there is none. Invalid when it is no size."""
        value = self.records.get(key)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < _MAX_DIGITS):
            raise Invalid(f"a PAX record {key}={value[:40]!r}, where a number was expected")
        return checked_size(int(value), key)

    def identity(self, key: str) -> int | None:
        """The number of a user or group, of whatever size or sign."""
        value = self.records.get(key, "")
        try:
            return int(value) if len(value) < _MAX_DIGITS and value else None
        except ValueError:
            raise Invalid(f"a PAX record {key}={value!r}, where a number was expected") from None


def records(data: bytes) -> dict[str, str]:
    """PAX records: `length key=value` and a line feed each, the length counting all of it. An empty value is none."""
    found = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + _MAX_DIGITS)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            raise Invalid(f"a PAX record without length at byte {at}")
        end = at + int(digits)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if not equals or not key or end > len(data) or data[end - 1 : end] != b"\n":
            raise Invalid(f"a PAX record of wrong length at byte {at}")
        if b"\0" in key or (b"\0" in value and not key.startswith(b"SCHILY.xattr.")):
            raise Invalid(f"a PAX record with a NUL in it at byte {at}")
        found[decoded(key)] = decoded(value)
        at = end
    return found


def decoded(name: bytes) -> str:
    """A name as text; bytes that are no UTF-8 as surrogates, so that none is lost."""
    return name.decode("utf-8", "surrogateescape")
