"""The words of one `mooring check`, understood: what is looked at, for what, and what the caller lives with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mooring import checks
from mooring.checks.opening import Terms, accepted
from mooring.contract import Level
from mooring.contract.regular_file import require_regular
from mooring.errors import Invalid, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Asked", "accepted", "samples"]

# Several times what any platform takes in a request.
LARGEST_SAMPLE = 100 << 20


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The words of one call; None where the subject or the edition is to decide."""

    subject: str
    edition: str | None = None
    config: Path | None = None
    kind: str = "real-time"
    rolling_upgrade: bool = False
    static: bool = False
    patient: bool = False
    samples: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[str, str] = field(default_factory=dict)
    allowed_imports: tuple[str, ...] = ()
    memory_bytes: int = 0
    wait_seconds: float | None = None
    fail_on: str = "must"

    def wish(self) -> checks.Wish:
        """What the subject is checked for."""
        return checks.Wish(
            kind=checks.Kind(self.kind),
            rolling_upgrade=self.rolling_upgrade,
            static=self.static,
            patient=self.patient,
            samples=self.samples,
            accepted=self.accepted,
            fail_on=Level(self.fail_on),
            memory_bytes=self.memory_bytes,
        )

    def terms(self) -> Terms:
        """How it is judged, as far as the words say."""
        return Terms(
            wish=self.wish(),
            edition=self.edition or "",
            config=self.config,
            allowed_imports=self.allowed_imports,
            wait_seconds=self.wait_seconds,
        )


def samples(words: list[str]) -> dict[str, str]:
    """`field=@file` words as a mapping; Invalid for a word that is none, NotFound for a file that is not there."""
    found = {}
    for word in words:
        name, equals, file = word.partition("=@")
        if not equals or not name or not file:
            raise Invalid(f"--sample {word!r} is not of the form FIELD=@FILE", hint="--sample images=@seven.jpg")
        try:
            require_regular(Path(file))
        except OSError as error:
            raise NotFound(f"--sample {word}: {file} cannot be read: {error.strerror}") from error
        if Path(file).stat().st_size > LARGEST_SAMPLE:
            raise Refused(f"--sample {word}: {file} has more than {LARGEST_SAMPLE >> 20} MiB, which no gateway lets in")
        found[name] = file
    return found
