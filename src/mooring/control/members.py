"""The replicas of one service as their rows and the world have them, and what of the world goes into the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.control.world import Condition, Member
from mooring.engine.workload import State

if TYPE_CHECKING:
    from mooring.control.look import Look
    from mooring.control.tables import Replica
    from mooring.control.world import Wanted
    from mooring.engine.workload import WorkloadSighting

# A replica that was well for so long has no earlier ends held against it.
FORGIVEN_MS = 300_000
SEEN = {State.STARTING: Condition.STARTING, State.STOPPING: Condition.STOPPING, State.EXITED: Condition.EXITED}


class Members:
    """`rows` are by the replica's name; whoever adds or takes one does it there."""

    def __init__(self, rows: dict[str, Replica], look: Look) -> None:
        self.rows = rows
        self._look = look

    def note(self, row: Replica) -> None:
        """Write into a row what is seen of its replica."""
        seen = self._look.sightings.get(row.name)
        if row.name in self._look.busy:
            return
        condition = self._seen(row)
        if condition is Condition.READY:
            row.ready_at = row.ready_at or self._look.now_ms
            row.why = ""
        elif condition is Condition.EXITED and row.exited_at is None:
            if row.ready_at is not None and self._look.now_ms - row.ready_at >= FORGIVEN_MS:
                row.restarts = 0
            row.exited_at = self._look.now_ms
            row.why = storable(seen.why if seen else "") or row.why
        if condition is not Condition.READY:
            row.ready_at = None
        if seen is not None and condition is not Condition.EXITED:
            row.exited_at = None

    def seen(self, wanted: Wanted) -> tuple[Member, ...]:
        """All of them, as a plan looks at them."""
        slots = {
            wanted.name_of(entry, ordinal)
            for entry in (wanted.entries if wanted.running else ())
            for ordinal in range(entry.instances)
        }
        return tuple(
            Member(
                name=row.name,
                model_id=row.model_id,
                template=row.template,
                ordinal=row.ordinal,
                condition=self._condition(row, is_wanted=row.name in slots),
                draining_at_ms=row.draining_at,
                quiet=self._look.is_quiet(row.name),
                restarts=row.restarts,
                exited_at_ms=row.exited_at,
            )
            for row in self.rows.values()
        )

    def _condition(self, row: Replica, *, is_wanted: bool) -> Condition:
        if busy := self._look.busy.get(row.name):
            return busy
        condition = self._seen(row)
        if condition is Condition.ABSENT and is_wanted and row.exited_at is not None:
            return Condition.EXITED  # the engine would not have it, or somebody took away what was left
        return condition

    def _seen(self, row: Replica) -> Condition:
        seen = self._look.sightings.get(row.name)
        if seen is None:
            return Condition.ABSENT
        if seen.state is not State.RUNNING:
            return SEEN[seen.state]
        if not seen.url:
            return Condition.STARTING
        was_ready = row.ready_at is not None and not self._is_another(row, seen)
        return self._look.probed(row.name) or (Condition.READY if was_ready else Condition.STARTING)

    def _is_another(self, row: Replica, seen: WorkloadSighting) -> bool:
        """Whether what runs was started after the replica was found ready: somebody started it again."""
        started = self.started_at_ms(seen)
        return started is not None and row.ready_at is not None and started > row.ready_at

    @staticmethod
    def started_at_ms(seen: WorkloadSighting) -> int | None:
        """When its process was started."""
        return None if seen.started_at is None else int(seen.started_at.timestamp() * 1000)


def storable(text: str) -> str:
    """A text of the world's without what no database keeps in one."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
