"""The findings that gather while one file is read, and the refusal when reading cannot go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from mooring.contract.finding import Finding, Level
from mooring.contract.node import Node, Place
from mooring.errors import Invalid

MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO


@dataclass
class Notes:
    """What was noticed in the file called `source`, in the order it was noticed."""

    source: str
    _findings: list[Finding] = field(default_factory=list)

    def add(  # noqa: PLR0913 - a finding has these seven parts, and callers name the last three
        self,
        rule: str,
        level: Level,
        at: Node | Place,
        message: str,
        *,
        hint: str = "",
        seen: str = "",
        read_as: str = "",
    ) -> None:
        """Note one thing at a place; a node stands for the place of its value."""
        line, column = _place(at)
        self._findings.append(
            Finding(
                id=rule,
                level=level,
                message=message,
                hint=hint,
                source=self.source,
                line=line,
                column=column,
                seen=seen,
                read_as=read_as,
            )
        )

    def refusal(self, at: Node | Place, message: str, *, hint: str = "") -> Invalid:
        """The error that names the place; for the caller to raise."""
        line, column = _place(at)
        return Invalid(f"{self.source}:{line}:{column}: {message}", hint=hint)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything noticed, in the order of the file."""
        return tuple(sorted(self._findings, key=lambda finding: (finding.line, finding.column)))


def _place(at: Node | Place) -> Place:
    return at if isinstance(at, Place) else at.place
