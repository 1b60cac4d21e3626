"""Where a finding is, as a relative URI for programs that open files: in the image, in the project, or the subject."""

from __future__ import annotations

import posixpath
import re
import urllib.parse
from typing import TYPE_CHECKING

from mooring.contract.visible import visible

if TYPE_CHECKING:
    from mooring.checks.report import Subject

# What paths inside an image are relative to. It has no address: an image is no folder.
BASE = "IMAGE"

# "config.json", "model/config.json", "Dockerfile"; not "layer 3", "CMD" or "the environment".
_RELATIVE = re.compile(r"(?![a-z]+://)[^\s/:]+(/[^\s/:]+)*(?<!:)")
_BARE_NAMES = frozenset({"Dockerfile", "Containerfile", "Makefile"})


def is_path(source: str) -> bool:
    """Whether the source of a finding names a file, and not a layer or a part of the image's configuration."""
    if source.startswith("/"):
        return True
    named = "/" in source or "." in source.lstrip(".") or source.startswith(".") or source in _BARE_NAMES
    return bool(_RELATIVE.fullmatch(source)) and named


def artifact(source: str, subject: Subject) -> dict[str, str]:
    """The artifactLocation of a finding: its file, or else the subject as if it were one."""
    if not is_path(source):
        name = subject.name.partition("://")[2] or subject.name
        # An absolute path would be this machine's.
        return {"uri": _uri(posixpath.basename(name.rstrip("/")) if name.startswith("/") else name) or subject.kind}
    if not source.startswith("/"):
        return {"uri": _uri(source) or subject.kind}
    local = _on_this_machine(source, subject)
    return {"uri": _uri(local)} if local else {"uri": _uri(source) or subject.kind, "uriBaseId": BASE}


def _on_this_machine(source: str, subject: Subject) -> str:
    """What to call a file that was read beside the image, "" for a file in it."""
    folder = f"{subject.name.rstrip('/')}/"
    if subject.kind == "project" and source.startswith(folder):
        return source.removeprefix(folder)
    given = f"given: {source}"
    was_given = subject.config_source == given or subject.config_source.startswith(f"{given} (")
    return posixpath.basename(source) if was_given else ""


def logical_name(source: str) -> str:
    """The source where it names no file, "" where it does."""
    return "" if is_path(source) else visible(source)


def _uri(path: str) -> str:
    """A relative reference of RFC 3986 that stays below its base, odd characters and colons in percents; or ""."""
    parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".", "..")]
    return "/".join(urllib.parse.quote(_bytes(part), safe="@+,=~") for part in parts)


def _bytes(name: str) -> bytes:
    try:
        return name.encode("utf-8", "surrogateescape")  # the name as it is on disk, when that was no UTF-8
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")  # never a name on a disk, but JSON can say it
