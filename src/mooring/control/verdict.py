"""What a plan means for a service's status: it has arrived, is failing, goes back, stops, or is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.control import service_story as texts
from mooring.control.status import ANSWERING, UNDER_WAY, Result, ServiceStatus, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.control.service_story import Telling
    from mooring.control.tables import Revision, Service
    from mooring.control.world import Member, Plan

# What a replica that is not ready is worth while a service is deployed, in percent of one that is.
BEGUN = 20
MOST_WHILE_DEPLOYING = 99


class Verdict:
    """Writes one service's status, and tells of it.

    `Service.revision` is what is wanted, and after a failed update the one before it again; `serving_revision` is the
    one that came true since the service was last started, 0 for none.
    """

    def __init__(
        self, service: Service, revision: Revision, telling: Telling, now_ms: int, *, patience_ms: int
    ) -> None:
        self._service = service
        self._revision = revision
        self._telling = telling
        self._now_ms = now_ms
        self._patience_ms = patience_ms

    def heed_wishes(self) -> None:
        """Bring the status in line with what is wanted; a schedule's end is a wish, too."""
        service = self._service
        if service.due_at is not None and service.due_at <= self._now_ms and service.status not in UNDER_WAY:
            if service.target == Target.RUNNING and service.status in ANSWERING:
                service.target = Target.STOPPED
                self._telling.tell(texts.AUTO_STOPPED)
            service.due_at = None
        if service.target == Target.DELETED:
            self._turn(ServiceStatus.DELETING)
        elif service.target == Target.STOPPED and service.status not in (ServiceStatus.STOPPED, ServiceStatus.STOPPING):
            self._turn(ServiceStatus.STOPPING)

    def is_late(self) -> bool:
        """Whether its time to come true is over."""
        return self._now_ms >= self._revision.deadline_at

    def arrive(self) -> None:
        """All that is wanted is ready."""
        service, revision = self._service, self._revision
        if service.serving_revision == service.revision:
            self._telling.tell(texts.ROLLED_BACK)
        else:
            self._telling.tell(texts.UPDATED if service.serving_revision else texts.RUNNING)
        if revision.result == Result.RUNNING:
            revision.result, revision.ended_at = Result.SUCCESS, self._now_ms
        service.serving_revision, service.error_msg, service.progress = service.revision, "", 100
        self._turn(ServiceStatus.RUNNING)

    def fail(self, why: str, *, brief: str, answers: bool, earlier: Revision | None) -> None:
        """It will not come true. An update goes back to what was served before.

        `why` is all that is known, `brief` one line of it; `answers` is whether some replica is ready.
        """
        service, revision = self._service, self._revision
        if service.serving_revision == service.revision:
            self._telling.tell(texts.ROLLBACK_FAILED.format(why=brief), abnormal=True)
            self._turn(ServiceStatus.CONCERNING if answers else ServiceStatus.FAILED)
            service.error_msg = "" if answers else why
            return
        if revision.result == Result.RUNNING:
            revision.result, revision.error_msg, revision.ended_at = Result.FAIL, why, self._now_ms
        if earlier is None:
            self._telling.tell(texts.FAILED.format(why=brief), abnormal=True)
            service.error_msg, service.serving_revision = why, 0
            self._turn(ServiceStatus.FAILED)
        else:
            self._telling.tell(texts.ROLLING_BACK.format(why=brief), abnormal=True)
            service.revision = earlier.number
            earlier.deadline_at = self._now_ms + self._patience_ms

    def go_on(self, plan: Plan, members: tuple[Member, ...], wanted: int) -> None:
        """It is on its way: tell how far."""
        ready = sum(plan.ready.values())
        begun = sum(member.draining_at_ms is None and not member.is_ready for member in members)
        percent = (ready * 100 + max(min(begun, wanted - ready), 0) * BEGUN) // max(wanted, 1)
        self._service.progress = max(self._service.progress, min(percent, MOST_WHILE_DEPLOYING))

    def weigh(self, members: tuple[Member, ...], wanted: int, reasons: Mapping[str, str]) -> None:
        """It came true before: running while as many are ready as there should be, concerning when there are fewer."""
        ready = sum(member.is_ready for member in members)
        if ready >= wanted:
            if self._turn(ServiceStatus.RUNNING):
                self._telling.tell(texts.RECOVERED)
            return
        if self._turn(ServiceStatus.CONCERNING):
            sick = [member for member in members if not member.is_ready and member.draining_at_ms is None]
            whys = (f"{one.name} is {one.condition.value}: {reasons.get(one.name, '')}".rstrip(": ") for one in sick)
            why = "; ".join(whys) or "the others are gone"
            self._telling.tell(texts.CONCERNING.format(ready=ready, wanted=wanted, why=why), abnormal=True)

    def stopped(self) -> None:
        """Nothing of it is left, as it was wished."""
        service, revision = self._service, self._revision
        service.serving_revision, service.due_at = 0, None
        if revision.result == Result.RUNNING:
            revision.result, revision.ended_at = Result.SUCCESS, self._now_ms
        self._turn(ServiceStatus.STOPPED)
        self._telling.tell(texts.STOPPED)

    def finished(self) -> None:
        """A batch service has nothing more to do, and nothing of it is left."""
        self._service.serving_revision, self._service.due_at = 0, None
        self._turn(ServiceStatus.FINISHED)

    def _turn(self, status: ServiceStatus) -> bool:
        if self._service.status == status:
            return False
        self._service.status, self._service.transition_at = status, self._now_ms
        return True
