"""Which registry, repository and manifest the name of an image means."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from mooring.errors import Invalid

# The grammar that engines and registries share (github.com/distribution/reference).
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII)
# What a registry keeps under another algorithm could not be verified by the layers' readers, which count in sha256.
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_LONGEST_NAME = 255
_LARGEST_PORT = 65535

DOCKER_HUB = "docker.io"
# Docker Hub answers the registry API under another name than the one in references.
_API_HOSTS = {DOCKER_HUB: "registry-1.docker.io"}
_OTHER_NAMES = {"index.docker.io": DOCKER_HUB, "registry-1.docker.io": DOCKER_HUB}


@dataclass(frozen=True, kw_only=True)
class RegistryReference:
    """`host` as in credentials (`docker.io`, `localhost:5000`), the repository, and a tag or a digest, or both."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def wanted(self) -> str:
        """What the registry is asked for: the digest where there is one, for it cannot change meanwhile."""
        return self.digest or self.tag

    @property
    def base_url(self) -> str:
        """Where the registry answers, without a slash at the end; plain http only within this machine."""
        scheme = "http" if is_loopback(host_name(self.host)) else "https"
        return f"{scheme}://{_API_HOSTS.get(self.host, self.host)}"

    def __str__(self) -> str:
        """The whole name, nothing left to be guessed."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def registry_reference(text: str) -> RegistryReference:
    """The reference that is meant: `mnist` is `docker.io/library/mnist:latest`. Invalid, saying what is wrong."""
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        raise _refusal(text, f"{digest!r} is not a digest", "sha256: and 64 small hexadecimal digits")
    host, path = _split_host(name)
    path, colon, tag = path.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise _refusal(text, f"{tag!r} is not a tag", "letters, digits, _ . and -, at most 128, no . or - in front")
    if host == DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    if not _PATH.fullmatch(path) or len(host) + 1 + len(path) > _LONGEST_NAME:
        raise _refusal(text, f"{path!r} is not a repository", "small letters, digits, single . _ - or / between them")
    _require_host(text, host)
    return RegistryReference(host=host, repository=path, tag=tag if tag or digest else "latest", digest=digest)


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    # As Docker tells a host from a user's folder: it has a dot, a port or a capital, or is localhost.
    if not slash or not (first == "localhost" or any(sign in first for sign in ".:") or first != first.lower()):
        return DOCKER_HUB, name
    host = first.lower()
    return _OTHER_NAMES.get(host, host), rest


def _require_host(text: str, host: str) -> None:
    match = _HOST.fullmatch(host)
    if not match or (match["port"] and not 0 < int(match["port"]) <= _LARGEST_PORT):
        raise _refusal(text, f"{host!r} is not a host", "a name or an address, and a port where it is not 443")
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(match["name"][1:-1])
        except ValueError as error:
            raise _refusal(text, f"{host!r} is not a host", "an address such as [::1]:5000") from error


def _refusal(text: str, what: str, expected: str) -> Invalid:
    shown = text if len(text) <= _LONGEST_NAME else f"{text[:100]}..."
    return Invalid(
        f"{shown!r} is not a reference to an image: {what}",
        hint=f"expected are {expected}; for example registry.example.com/team/mnist:1",
    )


def host_name(host: str) -> str:
    """The host without its port and brackets."""
    match = _HOST.fullmatch(host)
    return match["name"].strip("[]") if match else host


def is_loopback(name: str) -> bool:
    """Whether a host name without port means this machine: localhost, 127.0.0.0/8, ::1."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
