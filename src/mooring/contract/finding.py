"""One thing a look at a file or an image has to say, where it saw it, and how to put it right."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How much a finding weighs: a breach of the contract, a bad habit that is tolerated, or a remark."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest; findings sort by it."""
        return list(Level).index(self)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong, how much it matters, and what to do.

    `message` is what was seen, `expected` what the contract asks for instead, `document` the id of the text that says
    so, `hint` the remedy. A rule leaves `id` out, and `level` too unless it means a weaker one than its own. `line` and
    `column` count from 1 in characters of the decoded text; 0 means the whole of `source`, which is a file, a layer or
    a part of the image. `seen` is what a config.json says and `read_as` what it was taken for; both are empty where
    nothing was mended. `causes` name the fault by what a running container shows of it ("listens-on-loopback"): two
    findings that share one are of one fault.
    """

    id: str = ""
    level: Level = Level.MUST
    message: str
    expected: str = ""
    document: str = ""
    hint: str = ""
    source: str = ""
    line: int = 0
    column: int = 0
    seen: str = ""
    read_as: str = ""
    causes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The place as editors and terminals link it: `config.json:3:5`, or `run.sh:3` where only the line is known."""
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}:{self.column}" if self.line and self.column else place
