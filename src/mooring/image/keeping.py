"""Which small files of an image are kept as they are, for rules to read after the pass."""

from __future__ import annotations

import fnmatch
import re
import threading

from mooring.image.record import Bounds

MAX_KEPT_BYTES = 256 << 10
MAX_KEPT_IN_ALL = 32 << 20
# Of that, what files may take that are kept only because they are some text of the application.
MAX_PLAIN_IN_ALL = 24 << 20
READ_BY_RULES = (
    "config.json",
    "*.sh",
    "Dockerfile",
    "Dockerfile.*",
    "*.Dockerfile",
    "Containerfile",
    "passwd",
    "group",
    "shadow",
    "os-release",
    "gunicorn*.py",
    "uvicorn*.py",
    "*gunicorn.conf*",
    "*.conf",
    "crontab",
    "authorized_keys",
    "authorized_keys2",
    "ld.so.preload",
    ".env",
    ".env.*",
    "*.env",
    ".netrc",
    "_netrc",
    "pip.conf",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".gitconfig",
    ".dockerconfigjson",
    "credentials",
    "credentials.json",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "*.pem",
    "*.key",
    ".bashrc",
    ".profile",
    "sudoers",
    "environment",
    "requirements*.txt",
)
# Folders whose files are read whatever their names.
FOLDERS_READ_BY_RULES = re.compile(r"(?:etc|var/spool)/cron|etc/(?:init\.d|profile\.d|sudoers\.d|ld\.so\.conf\.d)/")
# Where packages live, and not the application: there, only what is named above or begins like a script.
NOT_THE_APPLICATION = re.compile(
    r"(?:usr|lib|lib32|lib64|libx32|bin|sbin|boot|proc|sys|dev|run|var/(?:lib|cache|log)|etc|opt/(?:conda|nvidia|java))/"
    r"|(?:.*/)?(?:site-packages|dist-packages|node_modules|lib/python[0-9.]+|\.git|__pycache__)/"
)
TEXT_SAMPLE_BYTES = 4096
# What Python takes to keep a text of one byte; a million of them are no small matter.
COST_OF_KEEPING = 256

_NAMES = re.compile("|".join(fnmatch.translate(name) for name in READ_BY_RULES))


def may_be_kept(path: str, start: bytes) -> bool:
    """Whether a small file of that path (no leading slash) that begins so is worth reading for its text."""
    return start.startswith(b"#!") or _is_named(path) or (_is_the_application(path) and b"\0" not in start)


def _is_named(path: str) -> bool:
    return bool(_NAMES.match(path.rpartition("/")[2]) or FOLDERS_READ_BY_RULES.match(path))


def _is_the_application(path: str) -> bool:
    return not NOT_THE_APPLICATION.match(path)


def is_text(data: bytes) -> bool:
    """UTF-8 without NUL."""
    if b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Allowance:
    """How much text may still be kept, for all layers together, and how many entries; used by several threads."""

    def __init__(self, *, in_all: int = MAX_KEPT_IN_ALL, plain: int = MAX_PLAIN_IN_ALL) -> None:
        self._in_all = in_all
        self._plain = plain
        self._lock = threading.Lock()
        self.bounds = Bounds()

    def grants(self, path: str, data: bytes) -> bool:
        """Whether this content is to be kept; if so, it is counted."""
        asked_for = data.startswith(b"#!") or _is_named(path)
        if not asked_for and not is_text(data):
            return False
        cost = len(data) + COST_OF_KEEPING
        with self._lock:
            if cost > (self._in_all if asked_for else min(self._plain, self._in_all)):
                return False
            self._in_all -= cost
            self._plain -= 0 if asked_for else cost
            return True
