"""What a workload of the memory engine does, told by the name of its image.

An image is `memory:` and words joined by `_` or `,`; a word's value follows `=` or `-`, so that names which must also
be image references can be written too: `memory:ready`, `memory:ready-after-0.5_slow-2`, `memory:exits=3`.

    ready                  answers 200 at once (what it does when no other word says otherwise)
    never-ready            listens, and answers every question about health with 503
    ready-after=SECONDS    answers health with 503 until then
    fails-health-after=N   answers the first N questions about health with 200, and then 503
    silent                 takes connections and never answers
    deaf                   runs, and listens nowhere
    exits[=CODE]           ends at once, with 1 or the code
    dies-after=SECONDS     serves until then, and then ends with 1
    digest                 answers with the SHA-256 of what was sent, and of nothing else: every replica the same
    picky                  answers 400 to a body with the word `bad` in it
    slow[=SECONDS]         answers everything but health after 1 second, or so many
    lingers=SECONDS        goes on serving for so long after SIGTERM
    ignores-sigterm        serves until SIGKILL
    logs=N                 writes `line 1` to `line N`, in turn to stdout and stderr, when it starts
    missing                there is no such image: `apply` raises NotFound
    cannot-start           its engine cannot start it: seen as ended, with 127

Questions about health are GETs of `/` and of paths that begin with `/health`, and commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from mooring.errors import NotFound

SCHEME = "memory:"
WORD = re.compile(r"([a-z]+(?:-[a-z]+)*)(?:[=-](\d+(?:\.\d+)?))?")
# What a word without a value means.
ALONE = {"exits": 1.0, "slow": 1.0}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """The words of an image's name; a time or a number of None was not given."""

    ready: bool = True
    never_ready: bool = False
    ready_after: float | None = None
    fails_health_after: float | None = None
    silent: bool = False
    deaf: bool = False
    exits: float | None = None
    dies_after: float | None = None
    digest: bool = False
    picky: bool = False
    slow: float | None = None
    lingers: float | None = None
    ignores_sigterm: bool = False
    logs: float | None = None
    cannot_start: bool = False

    @classmethod
    def of(cls, image: str) -> Behaviour:
        """The behaviour that the image's name tells.

        Raises:
            NotFound: it is no image of this engine.
        """
        values: dict[str, Any] = {}
        known = {field.name for field in fields(cls)}
        for word in re.split("[_,]", image.removeprefix(SCHEME)) if image.startswith(SCHEME) else ("",):
            found = WORD.fullmatch(word)
            name = found[1].replace("-", "_") if found else ""
            if found is None or name not in known:
                raise NotFound(
                    f"the memory engine has no image {image!r}", hint="memory:ready is one; see memory_behaviour.py"
                )
            takes_none = isinstance(getattr(cls, name), bool)
            values[name] = True if takes_none else float(found[2] or ALONE.get(found[1], 0))
        return cls(**values)
