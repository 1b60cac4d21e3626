"""The lines of a service's story that come of looking at the world; in ShowServiceEvents' words where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from mooring.control.tables import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from mooring.control.story import Story
    from mooring.control.tables import Service

# By the five phases: image building, environment preparation, resource scheduling, image pulling, model start. Told of
# each model when its first replica has come so far (modelarts_03_0155 has these very words, the parentheses too).
WISHED = (
    "building image for model [{label}]",
    "model ({label}) build image success",
    "preparing environment",
    "[{label}] prepare environment success",
)
SCHEDULED = ("[{label}] schedule resource success", "[{label}] pulling model image")
STARTED = ("[{label}] pull image success", "[{label}] starting model")

RUNNING = "service started"
UPDATED = "service updated"
ROLLED_BACK = "rolled back"
STOPPED = "service stopped"
AUTO_STOPPED = "service is stopped by auto-stop"
RECOVERED = "all instances are ready again"
FAILED = "deploy service failed: {why}"
ROLLING_BACK = "update failed, rolling back: {why}"
ROLLBACK_FAILED = "rollback failed: {why}"
CONCERNING = "{ready} of {wanted} instances are ready: {why}"
LINE_CHARACTERS = 1000


class Telling:
    """Tells of one service, in the transaction of what it tells about."""

    def __init__(self, story: Story, session: Session, service: Service) -> None:
        self._story = story
        self._session = session
        self._service = service

    def tell(self, text: str, *, abnormal: bool = False) -> None:
        """Tell it now."""
        line = " ".join(text.split())[:LINE_CHARACTERS]
        self._story.tell(self._session, self._service.id, self._service.project_id, line, abnormal=abnormal)

    def phase(self, texts: Iterable[str], label: str) -> None:
        """Tell how far a model is, each line once since the service was last told to do something."""
        for text in texts:
            line = text.format(label=label)
            if not self._told(line):
                self.tell(line)

    def _told(self, line: str) -> bool:
        since = self._service.operation_at
        told = exists().where(
            Event.subject_id == self._service.id, Event.occurred_at >= since, Event.event_info == line
        )
        self._session.flush()
        return bool(self._session.scalar(select(told)))
