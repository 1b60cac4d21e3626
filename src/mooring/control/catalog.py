"""The models of all projects: imported behind the check, listed, looked at, deleted."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from mooring.contract import edition
from mooring.control.model_pages import page_of, view_of
from mooring.control.model_rules import admissible
from mooring.control.model_views import Deleted, NotDeleted
from mooring.control.sources import source_of
from mooring.control.status import ModelStatus
from mooring.control.tables import Event, Model
from mooring.control.usage import services_using
from mooring.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.model_rules import Admissible
    from mooring.control.model_views import ModelQuery, ModelView, ModelWish
    from mooring.control.page import Page
    from mooring.control.settings import Settings
    from mooring.control.story import Story
    from mooring.gateway.table import Principal

# With `cascade`, in one call (DeleteModel).
MOST_DELETED = 20
NOT_PUBLISHED = (ModelStatus.FAILED, ModelStatus.BUILDING_FAILED)


class Catalog:
    """Each call is made by somebody, and sees that project's models alone."""

    def __init__(self, db: Database, story: Story, settings: Settings, now_ms: Callable[[], int]) -> None:
        self._db = db
        self._story = story
        self._settings = settings
        self._edition = edition(settings.edition)
        self._now_ms = now_ms
        # Called after each wish to create or delete; the importer listens.
        self.on_wish: Callable[[], None] = lambda: None

    def create(self, principal: Principal, wish: ModelWish) -> str:
        """Write the wish down and give the new model's id; it is imported from then on.

        A name and version that failed stay taken until that model is deleted.

        Raises:
            Invalid, Refused: the wish breaks a rule of CreateModel (`model-parameter`, `config-invalid`, ...).
            Conflict: `model-exists`, for a name and version that are taken.
        """
        told = admissible(wish, self._edition)
        source_of(wish.source_location, self._settings, is_image=told.is_image)
        with self._db.begin() as session:
            _require_free(session, principal, wish)
            model = self._row(principal, wish, told)
            session.add(model)
            session.flush()
            self._story.tell(session, model.id, principal.project_id, "Start model import.")
        self.on_wish()
        return model.id

    def get(self, principal: Principal, model_id: str) -> ModelView:
        """One model. NotFound (`model-not-found`)."""
        with self._db.read() as session:
            return view_of(_found(session, principal, model_id))

    def list(self, principal: Principal, query: ModelQuery) -> Page[ModelView]:
        """The models that match. Invalid (`parameter-invalid`) for a filter that none can match."""
        with self._db.read() as session:
            return page_of(session, principal.project_id, query)

    def report(self, principal: Principal, model_id: str) -> Mapping[str, Any]:
        """The report of the check that let a model in, or did not, as `mooring check --format json` writes it.

        NotFound: `model-not-found`, or `report-none` when it was not checked, or not yet.
        """
        with self._db.read() as session:
            model = _found(session, principal, model_id)
            if model.report is None:
                raise NotFound(
                    f"model {model.model_name} {model.model_version} has no report: it is {model.status}",
                    hint="an import writes it, unless the platform's gate is off",
                    case="report-none",
                )
            return model.report

    def delete(self, principal: Principal, model_id: str, *, cascade: bool = False) -> Deleted:
        """Delete a model; with `cascade` every version of its name, the newest 20 first.

        One that a service uses stays, and is told among the failed (`model-in-use`). One that is still being imported
        is broken off. NotFound (`model-not-found`).
        """
        gone, failed = [], []
        with self._db.begin() as session:
            for model in _to_delete(session, _found(session, principal, model_id), cascade=cascade):
                if users := services_using(session, model):
                    message = f"model {model.model_name} {model.model_version} is used by {', '.join(users)}"
                    failed.append(NotDeleted(model.id, "model-in-use", message))
                    continue
                session.execute(delete(Event).where(Event.subject_id == model.id))
                session.delete(model)
                gone.append(model.id)
        self.on_wish()
        return Deleted(tuple(gone), tuple(failed))

    def _row(self, principal: Principal, wish: ModelWish, told: Admissible) -> Model:
        now = self._now_ms()
        return Model(
            id=str(uuid.uuid4()),
            project_id=principal.project_id,
            owner=principal.user_name,
            model_name=wish.model_name,
            model_version=wish.model_version,
            model_type=told.model_type,
            description=wish.description,
            workspace_id=wish.workspace_id,
            status=ModelStatus.PUBLISHING,
            error_msg="",
            source_location=wish.source_location,
            source_copy=wish.source_copy,
            image="",
            image_digest="",
            size_bytes=0,
            initial_config=told.initial_config,
            config=told.config,
            request={**wish.request, "install_type": list(told.install_type)},
            report=None,
            created_at=now,
            updated_at=now,
        )


def _found(session: Session, principal: Principal, model_id: str) -> Model:
    model = session.get(Model, model_id) if model_id.isprintable() else None
    if model is None or model.project_id != principal.project_id:
        raise NotFound(
            f"there is no model {model_id[:100]!r} in this project",
            hint="mooring models lists them",
            case="model-not-found",
        )
    return model


def _require_free(session: Session, principal: Principal, wish: ModelWish) -> None:
    there = session.scalar(
        select(Model).where(
            Model.project_id == principal.project_id,
            Model.model_name == wish.model_name,
            Model.model_version == wish.model_version,
        )
    )
    if there is None:
        return
    hint = "delete it first" if there.status in NOT_PUBLISHED else "choose another version"
    raise Conflict(
        f"there is a model {wish.model_name} {wish.model_version} already: it is {there.status}",
        hint=hint,
        case="model-exists",
    )


def _to_delete(session: Session, model: Model, *, cascade: bool) -> list[Model]:
    if not cascade:
        return [model]
    versions = (
        select(Model)
        .where(Model.project_id == model.project_id, Model.model_name == model.model_name)
        .order_by(Model.created_at.desc(), Model.id)
        .limit(MOST_DELETED)
    )
    return list(session.scalars(versions))
