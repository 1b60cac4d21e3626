"""Addresses of data as people and documents write them, read in one place.

`file:///data/in`, `s3://bucket/key`, `obs://bucket/key`, `https://bucket.host/key`, `/bucket/key`, `memory:name`, and
the signed links that OBS makes of an https address (inference-modelarts-0040, -0041; CreateService).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from mooring.contract.node import shortened
from mooring.errors import Invalid

_MAX_CHARACTERS = 8192
# Lone surrogates, which JSON can write, are no characters.
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_BUCKET = re.compile(r"[a-z0-9A-Z][a-zA-Z0-9._-]{1,62}")
_HOST = re.compile(r"[a-zA-Z0-9.-]+")
# What a signed link says beside its path: the older signature of OBS, and the fourth of AWS.
_SIGNED = ({"accesskeyid", "signature"}, {"awsaccesskeyid", "signature"}, {"x-amz-signature"}, {"x-obs-signature"})
_FORMS = "file:///folder, obs://bucket/key, s3://bucket/key, https://bucket.host/key or /bucket/key"


class Kind(enum.Enum):
    """What sort of place an address is in."""

    FOLDER = "folder"
    BUCKET = "bucket"
    LINK = "link"
    MEMORY = "memory"


@dataclass(frozen=True)
class Address:
    """Where something lies; `text` is how it was written, and it prints without what a signed link keeps secret.

    `key` is the key in the bucket, or the path of the folder or file; it ends with `/` only if it was written so.
    """

    kind: Kind
    scheme: str
    """`file`, `s3`, `obs`, `https`, `http`, `/` for the form `/bucket/key`, or `memory`."""
    bucket: str
    key: str
    host: str = ""
    """Of an https form, the host without the bucket; of a link all of it, with its port."""
    text: str = field(default="", repr=False, compare=False)
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        if self.scheme == "file":
            return f"file://{quote(self.key)}"
        if self.scheme == "/":
            return f"/{self.bucket}/{self.key}"
        if self.kind is Kind.LINK:
            return f"{self.scheme}://{self.host}/{quote(self.key)}"
        if self.scheme in ("http", "https"):
            return f"{self.scheme}://{self.bucket}.{self.host}/{quote(self.key)}"
        if self.scheme == "memory":
            return f"memory:{self.key}"
        return f"{self.scheme}://{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key: the name of a file without its folders; "" for a folder written as one."""
        return self.key.rpartition("/")[2]

    @property
    def is_folder(self) -> bool:
        """Whether it is written as that of a folder."""
        return not self.name

    def __truediv__(self, name: str) -> Address:
        """The address of something in this folder, written in the same form."""
        key = f"{self.key.rstrip('/')}/{name}" if self.key.strip("/") or self.kind is Kind.FOLDER else name
        return Address(self.kind, self.scheme, self.bucket, key, self.host)

    def parent(self) -> Address:
        """The address of the folder it lies in, ending with `/`; a bucket's top, at most."""
        key = self.key.rstrip("/").rpartition("/")
        return Address(self.kind, self.scheme, self.bucket, key[0] + key[1], self.host)

    def overlaps(self, other: Address) -> bool:
        """Whether one of the two folders is the other, or within it."""
        if (self.kind, self.bucket) != (other.kind, other.bucket):
            return False
        mine, its = (f"{one.key.rstrip('/')}/".lstrip("/") for one in (self, other))
        return mine.startswith(its) or its.startswith(mine)


def parse(text: str, *, slash: Literal["bucket", "path"] = "bucket") -> Address:
    """The address that the text writes; `slash` says what `/a/b` is: a bucket (as in the API), a path (as in a shell).

    Invalid, without repeating any secret, for what is no address, and for one with `..`, control characters, a user or
    a password in it, a bucket that cannot be, or a query that is not that of a signed link.
    """
    if not text.strip() or len(text) > _MAX_CHARACTERS:
        raise Invalid("the address is empty" if not text.strip() else "the address is too long", hint=f"write {_FORMS}")
    if found := _CONTROL.search(text):
        raise Invalid(f"an address holds the character {ord(found[0]):#04x}", hint="write it without")
    scheme, separator, rest = text.partition(":")
    scheme = scheme.lower()
    if separator and scheme in _READERS and (scheme in ("file", "memory") or rest.startswith("//")):
        return _READERS[scheme](scheme, text)
    if separator and re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) and rest.startswith("//"):
        raise Invalid(f"{scheme}: is no address of data that we know", hint=f"write {_FORMS}")
    if slash == "path":
        return folder_address(Path(text), text=text)
    if text.startswith("/") and not text.startswith("//"):
        bucket, _, key = text[1:].partition("/")
        return _in_bucket("/", bucket, key, text=text)
    raise Invalid(f"{shortened(_bare(text))!r} is no address of data", hint=f"write {_FORMS}")


def folder_address(path: Path, *, text: str = "") -> Address:
    """The `file:` address of a path of this machine, made absolute; links in it stay what they are."""
    if ".." in path.parts:
        raise Invalid(
            f"the address {shortened(text or str(path))!r} leads upwards with '..'", hint="write where it leads"
        )
    whole = str(path.absolute()) + ("/" if text.endswith("/") and len(text) > 1 else "")
    return Address(Kind.FOLDER, "file", "", whole, text=text or str(path))


def _file(_: str, text: str) -> Address:
    rest = text.partition(":")[2]
    host = ""
    if rest.startswith("//"):
        host, slash, rest = rest[2:].partition("/")
        rest = slash + rest
    if host not in ("", "localhost"):
        raise Invalid("a file: address names another machine", hint="write file:///folder")
    path = _decoded(rest, text)
    if not path.startswith("/"):
        raise Invalid(f"the address {shortened(text)!r} has no path from the root", hint="write file:///folder")
    return folder_address(Path(path), text=path)


def _plain(scheme: str, text: str) -> Address:
    """The keys of s3: and obs: addresses are written as they are: nothing in them is escaped."""
    bucket, _, key = text.partition("://")[2].partition("/")
    _require_no_user(bucket)
    return _in_bucket(scheme, bucket, key, text=text)


def _https(scheme: str, text: str) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid("the https address cannot be read", hint=f"write {_FORMS}") from None
    _require_no_user(parts.netloc)
    if not _HOST.fullmatch(host):
        raise Invalid("the https address has no host name", hint=f"write {_FORMS}")
    key = _decoded(parts.path.removeprefix("/"), _bare(text))
    names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    where = host + (f":{port}" if port else "")
    if any(signs <= names for signs in _SIGNED):
        return Address(Kind.LINK, scheme, "", key, where, text, parts.query)
    if parts.query or parts.fragment:
        raise Invalid(
            f"the address {shortened(_bare(text))!r} has a query that does not sign it",
            hint="write the address without it, or a signed link of OBS whole",
        )
    bucket, _, host = where.partition(".")
    if not host:
        raise Invalid(f"the address {shortened(text)!r} names no bucket", hint="write https://bucket.host/key")
    return _in_bucket(scheme, bucket, key, host=host, text=text)


def _memory(_: str, text: str) -> Address:
    name = text.partition(":")[2].strip("/")
    _require_inside(name, text)
    return Address(Kind.MEMORY, "memory", "", name, text=text)


_READERS = {"file": _file, "s3": _plain, "obs": _plain, "https": _https, "http": _https, "memory": _memory}


def _in_bucket(scheme: str, bucket: str, key: str, *, host: str = "", text: str) -> Address:
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise Invalid(f"{shortened(bucket)!r} cannot be the name of a bucket", hint=f"write {_FORMS}")
    _require_inside(key, text)
    return Address(Kind.BUCKET, scheme, bucket, key, host, text)


def _decoded(path: str, text: str) -> str:
    try:
        decoded = unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise Invalid(f"the address {shortened(text)!r} is not UTF-8 behind its percent signs") from None
    if found := _CONTROL.search(decoded):
        raise Invalid(f"an address holds the character {ord(found[0]):#04x}", hint="write it without")
    _require_inside(decoded, text)
    return decoded


def _require_inside(key: str, text: str) -> None:
    if any(part in ("..", ".") for part in key.split("/")):
        raise Invalid(
            f"the address {shortened(_bare(text))!r} leads elsewhere with '.' or '..'", hint="write where it leads"
        )


def _require_no_user(authority: str) -> None:
    if "@" in authority:
        raise Invalid("the address holds a user or a password", hint="credentials are settings, not part of an address")


def _bare(text: str) -> str:
    """The address without what may be secret in it."""
    return re.sub(r"//[^/@]*@", "//", text.partition("?")[0])
