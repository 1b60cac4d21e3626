"""One request's way through a worker, from the queue to its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mooring_serve.logs import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring_serve import wire
    from mooring_serve.body import Body
    from mooring_serve.problem import Problem


class Call:
    """One request on its way through a worker; `on_end` is called once, when it is answered or has failed."""

    __slots__ = ("answer", "api", "arrived", "done", "frame", "model_seconds", "on_end", "origin", "problem", "sent")

    def __init__(self, api: int, request: str, body: Body, on_end: Callable[[Call], None]) -> None:
        self.api = api
        self.frame: wire.Call = (api, request, body.value, body.files)
        self.on_end = on_end
        self.origin: Any = None  # whatever the caller wants to find again
        self.answer: wire.Answer = (0, b"")
        self.problem: Problem | None = None
        self.done = False
        self.arrived = time.perf_counter()
        self.sent = 0.0
        self.model_seconds = 0.0

    def finish(self, answer: wire.Answer) -> None:
        """The worker answered."""
        if not self.done:
            self.done = True
            self.answer = answer
            self._end()

    def fail(self, problem: Problem) -> None:
        """There will be no answer."""
        if not self.done:
            self.done = True
            self.problem = problem
            self._end()

    def drop(self) -> None:
        """Nobody waits for it any more."""
        self.done = True
        self.origin = None

    def _end(self) -> None:
        try:
            self.on_end(self)
        except Exception as error:  # noqa: BLE001 - a bug on the callers' side must not cost the worker its line
            log("ERROR", "internal error", request_id=self.frame[1], error=repr(error))
