"""What a check has to say: the result of every rule, and the verdict they add up to."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.checks.rule import Rule
    from mooring.checks.wish import Wish
    from mooring.contract import Finding, Level


class Status(enum.StrEnum):
    """What became of one rule."""

    PASSED = "passed"
    FAILED = "failed"
    ACCEPTED = "accepted"  # it failed, and the caller lives with it
    SKIPPED = "skipped"  # it does not apply, or another rule tells it
    UNKNOWN = "unknown"  # it applies, and could not be judged


class Verdict(enum.StrEnum):
    """What the results add up to."""

    KEEPS = "keeps the contract"
    BREAKS = "breaks the contract"
    INCOMPLETE = "could not be judged completely"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One rule's outcome: `why` says why it was skipped, unknown or accepted; `level` is its weight for this check."""

    rule: Rule
    level: Level
    status: Status
    why: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What was looked at. `kind` is "engine", "archive", "layout", "registry", "project" or "server".

    Sizes are in bytes and 0 where they are not known; `config_source` says where the config.json was found, "" if
    nowhere; `digest` and `platform` are empty for what is no image.
    """

    name: str
    kind: str
    digest: str = ""
    platform: str = ""
    size: int = 0
    compressed_size: int = 0
    config_source: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All results in the order of their ids, `remarks` to be read with them, and how long it took."""

    subject: Subject
    edition: str
    wish: Wish
    results: tuple[Result, ...]
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def verdict(self) -> Verdict:
        """BREAKS if a finding weighs enough; INCOMPLETE if a rule that may forbid could not be judged; else KEEPS."""
        limit = self.wish.fail_on.rank
        if any(
            result.status is Status.FAILED and any(finding.level.rank <= limit for finding in result.findings)
            for result in self.results
        ):
            return Verdict.BREAKS
        unknown = any(result.status is Status.UNKNOWN and result.level.rank <= limit for result in self.results)
        return Verdict.INCOMPLETE if unknown else Verdict.KEEPS

    def findings(self, level: Level) -> tuple[Finding, ...]:
        """What was found at that level and not accepted, in the order of the rules."""
        return tuple(
            finding
            for result in self.results
            if result.status is not Status.ACCEPTED
            for finding in result.findings
            if finding.level is level
        )
