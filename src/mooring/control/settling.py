"""One look at one service, in one transaction: what its rows and the world say, what that means, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from mooring.control import service_story as texts
from mooring.control.look import Apply, End, Settled
from mooring.control.members import Members, storable
from mooring.control.plan import plan
from mooring.control.probing import Subject, questions_of
from mooring.control.replica_logs import Followed
from mooring.control.replicas import Making, entry_of, grace_seconds_of, template_of, weights_of, workload_of
from mooring.control.routes import closed, limits_of, route_of, targets_of
from mooring.control.service_story import Telling
from mooring.control.status import ANSWERING, BATCH, ServiceStatus, Target
from mooring.control.tables import Calls, Key, Model, Replica, Revision, Totals
from mooring.control.verdict import Verdict
from mooring.control.world import Drain, Forget, Keep, Restart, Start, Step, Stop, Wanted
from mooring.engine.workload import State
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from mooring.control.look import Ground, Look
    from mooring.control.tables import Service
    from mooring.control.world import Member, Plan
    from mooring.gateway.table import Route

# Of so many replicas that are not well, the reasons are told.
TOLD_REASONS = 2
REASON_CHARACTERS = 4000
LATE = "deployment timed out"
# How a diagnosis begins, of which a line of the story has what was seen.
SEEN = "seen: "
RESTING = (ServiceStatus.RUNNING, ServiceStatus.STOPPED, ServiceStatus.FAILED, ServiceStatus.FINISHED)


class Settling:
    """Writes rows only; what is to be done in the world comes back to be done once they are kept."""

    def __init__(self, ground: Ground, session: Session, service: Service, look: Look) -> None:
        self._ground = ground
        self._session = session
        self._service = service
        self._look = look
        self._out = Settled()
        rows = {row.name: row for row in session.scalars(select(Replica).where(Replica.service_id == service.id))}
        numbers = {service.revision, service.serving_revision, *(row.revision for row in rows.values())}
        revisions = select(Revision).where(Revision.service_id == service.id, Revision.number.in_(numbers))
        self._revisions = {one.number: one for one in session.scalars(revisions)}
        configured = [(one.number, row) for one in self._revisions.values() for row in one.config]
        self._entries: dict[tuple[int, str], Any] = {(number, template_of(row)): row for number, row in configured}
        self._named = {row["model_id"]: (row["model_name"], row["model_version"]) for _, row in configured}
        self._models = {one.id: one for one in session.scalars(select(Model).where(Model.id.in_(self._named)))}
        self._telling = Telling(ground.story, session, service)
        self._members = Members(rows, look)

    def settle(self) -> Settled:
        """Look, write, and tell what to do."""
        before = self._service.status, self._service.revision
        self._verdict.heed_wishes()
        for row in self._members.rows.values():
            self._members.note(row)
            if self._service.status == ServiceStatus.DEPLOYING:
                self._tell_phase(row)
        planned = self._plan()
        while self._judge(planned):
            planned = self._plan()
        for step in planned.steps:
            self._take(step)
        if not self._members.rows and self._ended():
            return self._out
        self._keep_an_eye_on()
        self._out.route = self._route(planned)
        if self._service.infer_type == BATCH:
            self._out.targets = targets_of(self._out.route)
            self._out.route = closed(self._out.route)
        settled = before == (self._service.status, self._service.revision) and self._service.status in RESTING
        self._out.rests = settled and planned.arrived and not set(self._members.rows) & set(self._look.busy)
        return self._out

    @property
    def _verdict(self) -> Verdict:
        patience = int(self._ground.settings.timings.deploy_timeout_seconds * 1000)
        revision = self._revisions[self._service.revision]
        return Verdict(self._service, revision, self._telling, self._look.now_ms, patience_ms=patience)

    def _wanted(self) -> Wanted:
        service = self._service
        serving = self._revisions.get(service.serving_revision)
        timings = self._ground.settings.timings
        return Wanted(
            service=service.id,
            entries=tuple(entry_of(row) for row in self._revisions[service.revision].config),
            running=service.target == Target.RUNNING and service.status != ServiceStatus.FAILED,
            settled=service.status in ANSWERING,
            weights=weights_of(serving.config) if serving else {},
            drain_limit_ms=int(timings.drain_seconds * 1000),
            back_off_ms=int(timings.backoff_seconds * 1000),
            back_off_limit_ms=int(timings.backoff_limit_seconds * 1000),
        )

    def _plan(self) -> Plan:
        wanted = self._wanted()
        return plan(wanted, self._members.seen(wanted), self._look.now_ms)

    def _judge(self, planned: Plan) -> bool:
        """Write down what the plan means; whether something else is wanted now."""
        if self._service.target == Target.FINISHED:
            return False
        wanted = self._wanted()
        members = self._members.seen(wanted)
        instances = sum(entry.instances for entry in wanted.entries)
        verdict = self._verdict
        if self._service.status in ANSWERING:
            verdict.weigh(members, instances, {name: row.why for name, row in self._members.rows.items()})
        elif self._service.status == ServiceStatus.DEPLOYING:
            if planned.complete:
                verdict.arrive()
            elif planned.hopeless or verdict.is_late():
                return self._fail(planned, members)
            else:
                verdict.go_on(planned, members, instances)
        return False

    def _fail(self, planned: Plan, members: tuple[Member, ...]) -> bool:
        """Call it failed, once it is known why."""
        late = not planned.hopeless
        unwell = [one.name for one in members if not one.is_ready and one.draining_at_ms is None]
        names = (planned.hopeless or unwell)[:TOLD_REASONS]
        unknown = [name for name in names if name in self._look.sightings and name not in self._look.diagnoses]
        if unknown:
            self._out.undiagnosed = tuple(unknown)
            return False
        reasons = tuple(dict.fromkeys(self._reason(name) for name in names))
        if late:
            reasons = (": ".join((LATE, *reasons[:1])), *reasons[1:])
        served = self._service.serving_revision
        earlier = self._revisions.get(served) if served != self._service.revision else None
        answers = any(one.is_ready for one in members)
        why = "\n".join(reasons)[:REASON_CHARACTERS]
        self._verdict.fail(why, brief=_brief(reasons), answers=answers, earlier=earlier)
        return True

    def _reason(self, name: str) -> str:
        row = self._members.rows[name]
        why = storable(self._look.diagnoses.get(name, "")) or row.why or "it does not become ready"
        return f"[{self._label(row.model_id)}] {why}"

    def _take(self, step: Step) -> None:
        if step.name in self._look.busy:
            return
        row = self._members.rows.get(step.name)
        match step:
            case Start():
                self._begin(row or self._new(step))
            case Restart() if row:
                row.restarts += 1
                row.ready_at = row.exited_at = None
                self._begin(row, after_grace=self._grace_seconds(row))
            case Stop() if row:
                self._out.doings[step.name] = End(step.name, self._grace_seconds(row))
            case Drain() if row:
                row.draining_at = self._look.now_ms
            case Keep() if row:
                row.draining_at = None
            case Forget() if row:
                self._session.delete(self._members.rows.pop(step.name))
                self._out.forgotten.append(step.name)

    def _new(self, step: Start) -> Replica:
        row = Replica(
            name=step.name,
            service_id=self._service.id,
            revision=self._service.revision,
            model_id=step.model_id,
            template=step.template,
            ordinal=step.ordinal,
            created_at=self._look.now_ms,
            restarts=0,
            why="",
        )
        self._session.add(row)
        self._members.rows[row.name] = row
        if self._service.status == ServiceStatus.DEPLOYING:
            self._telling.phase(texts.WISHED, self._label(row.model_id))
        return row

    def _begin(self, row: Replica, *, after_grace: float | None = None) -> None:
        """Have it started; what cannot even be asked for is as if it had ended at once."""
        ground, model = self._ground, self._models.get(row.model_id)
        entry = self._entries.get((self._service.revision, row.template))
        if model is None or entry is None:
            row.exited_at, row.why = self._look.now_ms, f"model {self._label(row.model_id)} is no longer there"
            return
        making = Making(self._service.id, entry, model, self._grace_seconds(row), self._service.infer_type)
        try:
            workload = workload_of(row.name, making, ground.settings, ground.edition, engine=ground.engine)
        except (MooringError, ValueError) as error:
            row.exited_at, row.why = self._look.now_ms, storable(str(error))
            return
        self._out.doings[row.name] = Apply(workload, model.config, after_grace)

    def _grace_seconds(self, row: Replica) -> float:
        entry = self._entries.get((row.revision, row.template))
        return grace_seconds_of(entry, self._ground.settings, self._ground.edition)

    def _ended(self) -> bool:
        """Nothing of it is left: it is stopped, if that was wished; whether it is gone."""
        if self._service.status == ServiceStatus.STOPPING:
            self._verdict.stopped()
        elif self._service.target == Target.FINISHED:
            self._verdict.finished()
        if self._service.status != ServiceStatus.DELETING:
            return False
        for table in (Calls, Totals, Key):
            self._session.execute(delete(table).where(table.service_id == self._service.id))
        self._session.delete(self._service)
        return True

    def _keep_an_eye_on(self) -> None:
        """Whom to ask how they are, and whose output to take down."""
        for name, row in self._members.rows.items():
            seen = self._look.sightings.get(name)
            if seen is None:
                continue
            started = self._members.started_at_ms(seen)
            if started is not None or seen.state is State.EXITED:
                self._out.followed[name] = Followed(self._service.id, started)
            if seen.state is State.RUNNING and name not in self._look.busy and row.draining_at is None:
                model = self._models.get(row.model_id)
                questions = questions_of(model.config if model else None, self._ground.edition)
                self._out.subjects[name] = Subject(
                    questions=questions, started_at_ms=started, was_ready_at_ms=row.ready_at
                )

    def _route(self, planned: Plan) -> Route:
        urls = {name: seen.url for name, seen in self._look.sightings.items() if name in self._members.rows}
        seconds = self._ground.settings.timings.drain_seconds
        limits = limits_of(self._service, self._ground.edition, drain_seconds=seconds)
        return route_of(self._service, planned.parts, names=self._named, urls=urls, limits=limits)

    def _tell_phase(self, row: Replica) -> None:
        seen = self._look.sightings.get(row.name)
        if seen is None or row.created_at < self._service.operation_at:
            return
        lines: Iterable[str] = texts.SCHEDULED
        if seen.started_at is not None or seen.state in {State.RUNNING, State.EXITED}:
            lines = (*texts.SCHEDULED, *texts.STARTED)
        self._telling.phase(lines, self._label(row.model_id))

    def _label(self, model_id: str) -> str:
        return " ".join(self._named.get(model_id, (model_id,)))


def _brief(reasons: Iterable[str]) -> str:
    """What was seen, without what to do about it and the last lines of output."""
    return "; ".join(reason.splitlines()[0].replace(SEEN, "", 1) for reason in reasons)
