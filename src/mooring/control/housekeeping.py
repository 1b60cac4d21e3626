"""What a platform forgets after a while: old minutes of calls, gateways long gone, output of replicas long gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from mooring.control.tables import Calls, Heard, Item, Job, Replica, Service, Totals

if TYPE_CHECKING:
    from mooring.control.database import Database
    from mooring.control.replica_logs import ReplicaLogs
    from mooring.control.story import Story

DAY_MS = 24 * 3_600_000
MINUTE_MS = 60_000
CALLS_MS = 7 * DAY_MS
HEARD_MS = 7 * DAY_MS
# So many rows are forgotten in one transaction: others wait for it.
INPUTS = 10_000
# As long as the story of a service.
LOGS_MS = 31 * DAY_MS


def _forget_inputs(db: Database) -> bool:
    """Forget some inputs of tasks that no longer count, and such tasks when none is left; whether there may be more."""
    newest = select(func.max(Job.id)).where(Job.service_id.in_(select(Service.id))).group_by(Job.service_id)
    with db.begin() as session:
        job = session.scalar(select(Job.id).where(Job.id.not_in(newest)).limit(1))
        if job is None:
            return False
        some = session.scalars(select(Item.number).where(Item.job_id == job).order_by(Item.number).limit(INPUTS)).all()
        if some:
            session.execute(delete(Item).where(Item.job_id == job, Item.number <= some[-1]))
        else:
            session.execute(delete(Job).where(Job.id == job))
    return True


def tidy(db: Database, story: Story, logs: ReplicaLogs, now_ms: int) -> None:
    """Forget what is older than is kept; blocks. Unavailable when the database is away: then it is done later."""
    story.prune()
    with db.begin() as session:
        services = select(Service.id)
        session.execute(delete(Calls).where(Calls.minute < (now_ms - CALLS_MS) // MINUTE_MS))
        session.execute(delete(Calls).where(Calls.service_id.not_in(services)))
        session.execute(delete(Totals).where(Totals.service_id.not_in(services)))
        session.execute(delete(Heard).where(Heard.heard_at < now_ms - HEARD_MS))
        names = frozenset(session.scalars(select(Replica.name)))
    while _forget_inputs(db):
        pass
    logs.prune(before_ms=now_ms - LOGS_MS, keep=names)
