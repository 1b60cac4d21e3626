"""Which rule tells why a container did not become ready: one cause, one rule, and no other fails for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown

if TYPE_CHECKING:
    from mooring.checks.trial.sightings import Start
    from mooring.engine import Diagnosis

SPEAKERS = {
    "listens-on-another-port": "RUN-PORT-01",
    "listens-on-loopback": "RUN-PORT-02",
    "speaks-https": "RUN-PROTO-01",
    "not-http": "RUN-PROTO-01",
    "health-missing": "RUN-HEALTH-01",
    "health-redirected": "RUN-HEALTH-01",
    "health-failing": "RUN-HEALTH-01",
    "health-hangs": "RUN-HEALTH-01",
    "health-command-fails": "RUN-HEALTH-01",
}
OTHERWISE = "RUN-START-01"
SHOWN_LINES = 10


def told_by(start: Start) -> str:
    """The id of the rule that tells why it did not become ready; "" if it did."""
    if start.ready:
        return ""
    if start.spoken and start.spoken != start.declared_protocol:
        return "RUN-PROTO-01"
    return SPEAKERS.get(start.diagnosis.cause, OTHERWISE) if start.diagnosis else OTHERWISE


def why_not_ready(start: Start) -> str:
    """What keeps all other rules from judging, in the same words for each; "" if it became ready."""
    speaker = told_by(start)
    cause = start.diagnosis.cause if start.diagnosis else "no cause is known"
    return f"it did not become ready: {cause}; {speaker} says more" if speaker else ""


def require_ready(start: Start) -> None:
    """NotKnown, with the rule that says more, unless it became ready."""
    if why := why_not_ready(start):
        raise NotKnown(why)


def diagnosis_for(rule: str, start: Start) -> Diagnosis | None:
    """Why it did not become ready, if that is this rule's to tell; None if it did. NotKnown when another rule tells."""
    if told_by(start) != rule or start.diagnosis is None:
        require_ready(start)
    return start.diagnosis


def with_log(seen: str, diagnosis: Diagnosis) -> str:
    """What was seen with the cause's name, and below it the last lines of the log."""
    tail = diagnosis.log_tail[-SHOWN_LINES:]
    lines = ["last log lines:", *(f"  | {line}" for line in tail)] if tail else ["it has written no logs"]
    return "\n".join((f"{seen} ({diagnosis.cause})", *lines))
