"""What an image is expected to do: as its config.json declares, else as the edition states, else as we do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.contract import vocabulary
from mooring.engine import Expectation

if TYPE_CHECKING:
    from mooring.contract import Edition, Health, ModelConfig

# Where the edition says nothing of probes: long enough for a model of some size.
WAIT_SECONDS = 60.0
ANSWER_SECONDS = 3.0
# A server without the health url, or on loopback alone, does not get better by waiting.
SETTLED_SECONDS = 15.0
# Where the edition gives a prediction no limit; and what a slow one gets beyond it, so that it is seen to be slow.
CALL_SECONDS = 60.0
BEYOND_SECONDS = 10.0
SERVICE_PORT = 8080
# What tells enough of an idle connection, and of an end, for those who do not wait for all of it.
IDLE_SECONDS = 10.0
ENDING_SECONDS = 5.0


@dataclass(frozen=True)
class Expected:
    """One image's promises and the edition's limits."""

    config: ModelConfig | None
    edition: Edition

    @property
    def health(self) -> Health | None:
        """The health check that config.json declares."""
        return self.config.health if self.config else None

    @property
    def health_url(self) -> str:
        """Where health is asked."""
        declared = (self.health.url or "") if self.health else ""
        # What is no path, its own rule tells; here something must be asked.
        if not declared or "://" in declared:
            return self.edition.get(vocabulary.HEALTH_URL, "/health")
        return declared if declared.startswith("/") else f"/{declared}"

    @property
    def health_command(self) -> str:
        """The command that tells health, run in the container; "" where a url does."""
        by_command = self.health is not None and self.health.check_method.upper() == "EXEC"
        return (self.health.command or "") if self.health and by_command else ""

    @property
    def health_declared(self) -> bool:
        """Whether config.json names the url."""
        return bool(self.health and self.health.url)

    @property
    def health_seconds(self) -> float:
        """How long an answer of the health url may take."""
        return float((self.health and self.health.timeout_seconds) or ANSWER_SECONDS)

    @property
    def protocol(self) -> str:
        """What is spoken on the port."""
        apis = self.config.apis if self.config else ()
        declared = apis[0].protocol if apis else self.edition.get(vocabulary.CONFIG_DEFAULT_PROTOCOL, "http")
        return "https" if declared in ("https", "wss") else "http"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.edition.get(vocabulary.SERVICE_PORT, SERVICE_PORT)

    @property
    def call_seconds(self) -> float:
        """How long an answer is waited for."""
        facts = (vocabulary.PREDICT_TIME_LIMIT, vocabulary.SYNC_TIME_LIMIT)
        stated = [float(self.edition[fact]) for fact in facts if fact in self.edition]
        return max(stated, default=CALL_SECONDS) + BEYOND_SECONDS

    @property
    def start_seconds(self) -> float:
        """How long the platform's probes would go on before they call it a failure."""
        health, rules = self.health, self.edition
        period = (health and health.period_seconds) or rules.get(vocabulary.HEALTH_PERIOD, 0)
        times = (health and health.failure_threshold) or rules.get(vocabulary.HEALTH_FAILURE_THRESHOLD, 0)
        return self.delay_seconds + float(period * times or WAIT_SECONDS)

    @property
    def delay_seconds(self) -> float:
        """How long after the start the platform begins to ask."""
        stated = self.edition.get(vocabulary.HEALTH_INITIAL_DELAY, 0)
        return float((self.health and self.health.initial_delay_seconds) or stated)

    def expectation(self, *, wait_seconds: float | None = None) -> Expectation:
        """It in the words of the engine room; with `wait_seconds` of the caller's, all of them are waited for."""
        by_url = not self.health_command
        required = self.health_declared or self.edition.get(vocabulary.HEALTH_REQUIRED, False)
        return Expectation(
            health_url=self.health_url,
            health_command=self.health_command,
            protocol=self.protocol,
            health_required=by_url and required,
            answer_seconds=self.health_seconds,
            wait_seconds=self.start_seconds if wait_seconds is None else wait_seconds,
            settled_seconds=SETTLED_SECONDS if wait_seconds is None else math.inf,
            delay_seconds=self.delay_seconds,
        )
