"""The models of all projects: imported behind the check, listed, looked at, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.control.database import Database
    from mooring.control.model_views import Deleted, ModelQuery, ModelView, ModelWish
    from mooring.control.page import Page
    from mooring.control.settings import Settings
    from mooring.control.story import Story
    from mooring.gateway.table import Principal


class Catalog:
    """Each call is made by somebody, and sees that project's models alone."""

    def __init__(self, db: Database, story: Story, settings: Settings, now_ms: Callable[[], int]) -> None:
        raise NotImplementedError

    def create(self, principal: Principal, wish: ModelWish) -> str:
        """Write the wish down and give the new model's id; it is imported from then on.

        Raises:
            Invalid, Refused: the wish breaks a rule of CreateModel (`model-parameter`, `config-invalid`, ...).
            Conflict: `model-exists`, for a name and version that are taken.
        """
        raise NotImplementedError

    def get(self, principal: Principal, model_id: str) -> ModelView:
        """One model. NotFound (`model-not-found`)."""
        raise NotImplementedError

    def list(self, principal: Principal, query: ModelQuery) -> Page[ModelView]:
        """The models that match. Invalid (`parameter-invalid`) for a filter that none can match."""
        raise NotImplementedError

    def report(self, principal: Principal, model_id: str) -> Mapping[str, Any]:
        """The report of the check that let a model in, or did not, as `mooring check --format json` writes it.

        NotFound: `model-not-found`, or `report-none` when it was not checked, or not yet.
        """
        raise NotImplementedError

    def delete(self, principal: Principal, model_id: str, *, cascade: bool = False) -> Deleted:
        """Delete a model; with `cascade` every version of its name, the newest 20 first.

        One that a service uses stays, and is told among the failed (`model-in-use`). NotFound (`model-not-found`).
        """
        raise NotImplementedError
