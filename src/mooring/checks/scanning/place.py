"""What the place and the first bytes of a file say of it: whether it is started, only read, or the system's own."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_EXECUTABLE = 0o111
_DOCUMENT = re.compile(
    r"^/usr/(local/)?share/(doc|man|info|help|gtk-doc)/|\.(md|rst|txt|html?|adoc|pod|tex|texi|po|css|csv|ipynb)$|/(README|CHANGE\w*|NEWS|HISTORY)$"
)
_SIGNATURES = re.compile(r"\.(yara?|ndb|ldb|hdb|hsb|ndu|ldu|cdb|rules)$")
_STARTED = re.compile(
    r"\.(sh|bash|ps1|service|timer)$|^/etc/(cron|init\.d|rc|profile|systemd|xdg/autostart)|^/var/spool/cron|/\.(bash|zsh|profile)"
    r"|/crontabs?(/|$)|^/(docker-)?entrypoint|^/home/run\.sh$"
)
# Below these a distribution, or a package of Python or Node, puts its files; secrets there are samples.
_SYSTEM = re.compile(
    r"^/(bin|sbin|lib|lib32|lib64|libx32|proc|sys|dev|boot)/|^/usr/(?!src/|local/(etc|src|app|bin)/|app/)|^/var/(lib|cache)/(?!jenkins|git)"
    r"|/(site-packages|dist-packages|node_modules|vendor/bundle|gems)/|/lib/python[0-9.]+/|/pkgs/[^/]+/|/share/(doc|man|info)/"
    r"|^/etc/ssl/certs/|^/etc/ca-certificates"
)


@dataclass(frozen=True)
class Place:
    """A file by its path, permission bits and first bytes."""

    path: str
    mode: int = 0o644
    head: bytes = b""

    @functools.cached_property
    def is_document(self) -> bool:
        """It is meant to be read by people."""
        return bool(_DOCUMENT.search(self.path)) and not self.head.startswith(b"#!")

    @functools.cached_property
    def is_read_only_text(self) -> bool:
        """It is a document, or a list of signatures for scanners like this one, and nobody may execute it."""
        quiet = self.is_document or bool(_SIGNATURES.search(self.path))
        return quiet and not self.mode & _EXECUTABLE and not self.head.startswith((b"#!", b"\x7fELF"))

    @functools.cached_property
    def is_started(self) -> bool:
        """It is a script, or something that the machine starts by itself."""
        marked = self.head.startswith(b"#!") or bool(self.mode & _EXECUTABLE and not self.head.startswith(b"\x7fELF"))
        return (marked or bool(_STARTED.search(self.path))) and not self.is_document

    @functools.cached_property
    def is_system(self) -> bool:
        """A distribution or a package put it there, most likely."""
        return bool(_SYSTEM.search(self.path))
