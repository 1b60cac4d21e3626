"""One thing a scanner has to say of one file."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """How sure a scanner is that a file is harmful."""

    MALICIOUS = "malicious"
    SUSPICIOUS = "suspicious"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What was found: `scanner` is "yara", "pickle", "clamd" or "secret", `name` the scanner's own name for it.

    `detail` is a sentence that names the evidence (the imported names, the place inside an archive), without the
    secret itself where it is one. `names` are the globals a pickle imports, as `module.name`.
    """

    scanner: str
    name: str
    severity: Severity
    detail: str
    names: tuple[str, ...] = ()
