"""The facts a diagnosis is made from, and the form of what each judge says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.engine.probe import Answer
    from mooring.engine.sockets import Listener


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was observed of a container that did not become healthy.

    `answers` are those of the health url, oldest first, consecutive equal ones once. `listeners` is None when the
    container's sockets could not be seen. `start_error` is what the engine said when it could not start it at all.
    `ended_as` says why we ended it ourselves, if we did.
    """

    port: int = 8080
    protocol: str = "http"
    health_url: str = "/health"
    health_command: str = ""
    waited_seconds: float = 0.0
    exit_code: int | None = None
    oom_killed: bool = False
    memory_bytes: int = 0
    start_error: str = ""
    ended_as: str = ""
    log_tail: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] | None = None
    image_architecture: str = ""
    engine_architecture: str = ""
    answers: tuple[Answer, ...] = ()
    tls: bool = False

    @property
    def ended(self) -> bool:
        """Whether the container no longer runs, or never did."""
        return self.exit_code is not None or bool(self.start_error)

    @property
    def last_answer(self) -> Answer | None:
        """The newest answer of the health url."""
        return self.answers[-1] if self.answers else None

    def said(self, pattern: str) -> re.Match[str] | None:
        """The newest match in the engine's error or the log, whatever its case."""
        texts = (*self.log_tail, self.start_error)
        return next((found for text in reversed(texts) if (found := re.search(pattern, text, re.IGNORECASE))), None)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One judgement: a name to search for, and three sentences."""

    name: str
    seen: str
    expected: str
    advice: str
