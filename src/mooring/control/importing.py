"""The importer: looks which models are still on their way, and goes on with each until it is in, or is known not to be.

What an import has done is written down when it has ended, in one transaction; one that was killed begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from mooring.control.copies import Copies
from mooring.control.incoming import BrokenOff, Incoming, Job, Outcome, Place
from mooring.control.model_rules import IMAGE_TYPES
from mooring.control.status import ModelStatus
from mooring.control.tables import Model
from mooring.control.texts import as_text
from mooring.errors import MooringError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.settings import Settings
    from mooring.control.story import Story

LOG = logging.getLogger(__name__)
UNDER_WAY = (ModelStatus.PUBLISHING, ModelStatus.BUILDING)
# A check reads whole images and waits for containers: more at once would make each of them late.
AT_ONCE = 2
# An engine or a registry that does not answer is asked again, as long as a person would.
ATTEMPTS = 3
AGAIN_SECONDS = 2.0
SWEEP_SECONDS = 60.0
# For imports to notice that they are broken off; what a container is being asked may take longer, and is left to end.
LEAVE_SECONDS = 10.0
POLL_SECONDS = 0.05
LONGEST_MESSAGE = 1000
# What the row of a model takes over from an outcome as it is.
TAKEN_OVER = ("status", "error_msg", "image", "image_digest", "size_bytes")


class Importer:
    """All imports of a platform; `work` until cancelled."""

    def __init__(
        self, db: Database, story: Story, settings: Settings, now_ms: Callable[[], int], engine_name: str
    ) -> None:
        self._db = db
        self._story = story
        self._settings = settings
        self._now_ms = now_ms
        self._copies = Copies(settings.data)
        self._place = Place(settings=settings, copies=self._copies, engine=engine_name)
        self._running: dict[str, _Running] = {}
        self._wake: Callable[[], object] = lambda: None
        self._sweep_at = 0.0

    def wake(self) -> None:
        """Look at once: a model was created or deleted. From any thread."""
        self._sweep_at = 0.0
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nobody to wake
            self._wake()

    async def work(self) -> None:
        """Import what is to be imported, and let go of what is kept of models that are gone; until cancelled."""
        woken = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._wake = functools.partial(loop.call_soon_threadsafe, woken.set)
        try:
            while True:
                woken.clear()
                try:
                    await self._look()
                except Unavailable as error:
                    LOG.warning("imports have to wait: %s", error)
                except Exception:
                    LOG.exception("looking at the imports failed")
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: woken and cancelled in the same turn, it forgets that it was cancelled.
                    async with asyncio.timeout(self._settings.timings.resync_seconds):
                        await woken.wait()
        finally:
            await self._leave()

    async def _look(self) -> None:
        wanted = await asyncio.to_thread(self._wanted)
        for model_id, running in list(self._running.items()):
            if not running.thread.is_alive():
                del self._running[model_id]
            elif model_id not in wanted:
                running.stop.set()
        for model_id in wanted:
            if len(self._running) < AT_ONCE and model_id not in self._running:
                self._start(model_id)
        if time.monotonic() >= self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            busy = frozenset(self._running)
            await asyncio.to_thread(self._sweep, busy)

    def _start(self, model_id: str) -> None:
        stop = threading.Event()

        def run() -> None:
            try:
                self._import(model_id, stop)
            finally:
                # What is next need not wait for the next look.
                self.wake()

        # A daemon: one that waits for a container must not keep the platform from ending.
        thread = threading.Thread(target=run, name=f"import {model_id}", daemon=True)
        self._running[model_id] = _Running(thread, stop)
        thread.start()

    async def _leave(self) -> None:
        for running in self._running.values():
            running.stop.set()
        deadline = time.monotonic() + LEAVE_SECONDS
        while any(running.thread.is_alive() for running in self._running.values()) and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)

    def _wanted(self) -> list[str]:
        with self._db.read() as session:
            statement = select(Model.id).where(Model.status.in_(UNDER_WAY)).order_by(Model.created_at, Model.id)
            return list(session.scalars(statement))

    def _sweep(self, busy: frozenset[str]) -> None:
        """Let go of what is kept of models that are gone; what cannot be let go of now is tried again."""
        kept = self._copies.models() - busy
        if not kept:
            return
        with self._db.read() as session:
            there = set(session.scalars(select(Model.id).where(Model.id.in_(kept))))
        for model_id in kept - there:
            try:
                self._copies.forget(model_id)
            except Unavailable as error:
                LOG.info("what is kept of model %s stays for now: %s", model_id, error)

    def _import(self, model_id: str, stop: threading.Event) -> None:
        """One import from end to end, in a thread of its own."""
        try:
            job = self._job(model_id)
            outcome = self._outcome(job, stop)
            if outcome.status is not ModelStatus.PUBLISHED:
                with contextlib.suppress(Unavailable):  # then they go with the model
                    self._copies.forget(model_id)
                outcome = replace(outcome, image="")
            self._until_written(stop, lambda: self._write(model_id, outcome))
        except BrokenOff:
            LOG.info("the import of model %s is broken off", model_id)
        except Unavailable as error:
            LOG.warning("the import of model %s begins anew: %s", model_id, error)

    def _outcome(self, job: Job, stop: threading.Event) -> Outcome:
        status = ModelStatus.PUBLISHING

        def tell(line: str, now: ModelStatus) -> None:
            nonlocal status
            status = now
            self._until_written(stop, lambda: self._tell(job.model_id, line, now))

        for attempt in range(1, ATTEMPTS + 1):
            try:
                return Incoming(job, self._place, tell, stop).run()
            except Unavailable as error:
                if attempt == ATTEMPTS:
                    return _failed(status, error)
                if stop.wait(AGAIN_SECONDS):
                    raise BrokenOff from None
            except MooringError as error:
                return _failed(status, error)
            except Exception as error:
                LOG.exception("the import of model %s", job.model_id)
                return _failed(status, MooringError(f"a fault of the platform's own: {type(error).__name__}: {error}"))
        raise AssertionError  # the last attempt returns

    def _until_written(self, stop: threading.Event, write: Callable[[], None]) -> None:
        """Write, however long the database is away: what was found out took its time."""
        while True:
            if stop.is_set():
                raise BrokenOff
            try:
                return write()
            except Unavailable as error:
                LOG.warning("an import has to wait: %s", error)
                stop.wait(AGAIN_SECONDS)

    def _job(self, model_id: str) -> Job:
        with self._db.read() as session:
            model = _present(session, model_id)
            return Job(
                model_id=model.id,
                version=model.model_version,
                source_location=model.source_location,
                source_copy=model.source_copy,
                initial_config=model.initial_config,
                is_image=model.model_type in IMAGE_TYPES,
                install_type=tuple(model.request.get("install_type") or ()),
            )

    def _tell(self, model_id: str, line: str, status: ModelStatus) -> None:
        with self._db.begin() as session:
            model = _present(session, model_id)
            if model.status != status:
                model.status, model.updated_at = status, self._now_ms()
            self._story.tell(session, model.id, model.project_id, as_text(line))

    def _write(self, model_id: str, outcome: Outcome) -> None:
        with self._db.begin() as session:
            model = _present(session, model_id)
            for name in TAKEN_OVER:
                setattr(model, name, getattr(outcome, name))
            model.error_msg = as_text(outcome.error_msg)
            model.updated_at = self._now_ms()
            if outcome.status is ModelStatus.PUBLISHED:
                model.initial_config, model.config = as_text(outcome.initial_config), outcome.config
            for line, abnormal in _lines(outcome):
                self._story.tell(session, model.id, model.project_id, as_text(line), abnormal=abnormal)
            if outcome.judgement is not None:
                model.report = outcome.judgement.report


class _Running:
    def __init__(self, thread: threading.Thread, stop: threading.Event) -> None:
        self.thread = thread
        self.stop = stop


def _present(session: Session, model_id: str) -> Model:
    model = session.get(Model, model_id)
    if model is None:
        raise BrokenOff
    return model


def _failed(status: ModelStatus, error: MooringError) -> Outcome:
    building = status is ModelStatus.BUILDING
    what = f"{error.message} ({error.hint})" if error.hint else error.message
    return Outcome(
        status=ModelStatus.BUILDING_FAILED if building else ModelStatus.FAILED, error_msg=what[:LONGEST_MESSAGE]
    )


def _lines(outcome: Outcome) -> list[tuple[str, bool]]:
    """The end of the story, and of each line whether it is abnormal."""
    found = outcome.judgement
    lines = [(line, True) for line in (*found.problems, *found.remarks)] if found else []
    if outcome.status is ModelStatus.PUBLISHED:
        return [
            *lines,
            (f"The size of the model is {outcome.size_bytes} bytes.", False),
            ("The model is imported.", False),
        ]
    if outcome.status is ModelStatus.BUILDING_FAILED:
        lines.append(("Failed to build the image.", True))
    return [*lines, (f"Failed to import the model: {outcome.error_msg}", True)]
