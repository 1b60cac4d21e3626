"""Whether a project may have a service, and a service these models: the rules that need a look at what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from mooring.contract import edition, vocabulary
from mooring.control import wishes
from mooring.control.batch_wishes import batch_wish
from mooring.control.status import BATCH, INFER_TYPES, ModelStatus, Target
from mooring.control.tables import Model, Service
from mooring.errors import Conflict, Invalid, NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from mooring.contract import Edition
    from mooring.contract.fact import Fact
    from mooring.control.settings import Settings
    from mooring.control.wishes import ServiceEntry
    from mooring.gateway.table import Principal

MOST_ENTRIES = 100
# Where the edition sets no limits to the time that a deployment may take.
SHORTEST_TIMEOUT_SECONDS = 1
LONGEST_TIMEOUT_SECONDS = 86_400


class Admission:
    """The edition's quotas and limits, and the settings that stand above them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._edition: Edition = edition(settings.edition)

    def require_room(self, session: Session, principal: Principal, name: str, infer_type: str) -> None:
        """Conflict (`service-exists`) for a name that is taken, Refused (`services-quota`) when there are enough."""
        mine = select(Service).where(Service.project_id == principal.project_id)
        if session.scalar(mine.where(Service.service_name == name)):
            raise Conflict(
                f"there is a service {name} already", hint="update it, or choose another name", case="service-exists"
            )
        setting = "batch_services" if infer_type == BATCH else "services"
        fact = vocabulary.BATCH_SERVICE_QUOTA if infer_type == BATCH else vocabulary.SERVICE_QUOTA
        quota = self._quota(getattr(self._settings.quotas, setting), fact)
        standing = mine.where(Service.target != Target.DELETED, Service.infer_type == infer_type).subquery()
        there = session.scalar(select(func.count()).select_from(standing)) or 0
        if quota is not None and there >= quota:
            raise Refused(
                f"this project has {there} {infer_type} services; {quota} are allowed",
                hint=f"delete one that is not needed (stopped and failed ones count), or raise quotas.{setting}",
                case="services-quota",
            )

    def config(
        self, session: Session, principal: Principal, config: tuple[ServiceEntry, ...], infer_type: str
    ) -> list[dict[str, Any]]:
        """The entries as a revision keeps them, each looked at with its model.

        Raises:
            Invalid, Refused: they break a rule of CreateService.
            NotFound: `model-unknown`.
        """
        if len(config) > MOST_ENTRIES:
            raise Invalid(f"config has {len(config)} entries; {MOST_ENTRIES} are allowed", case="parameter-invalid")
        weights = (wishes.WHOLE,) if infer_type == BATCH and self._is_single(config) else wishes.weighed(config)
        found = []
        for entry, weight in zip(config, weights, strict=True):
            model = session.get(Model, entry.model_id)
            if model is None or model.project_id != principal.project_id:
                raise NotFound(
                    f"there is no model {entry.model_id[:100]!r} in this project",
                    hint="mooring models lists them",
                    case="model-unknown",
                )
            self._require_deployable(entry, model, infer_type)
            row = wishes.row_of(entry, model_name=model.model_name, model_version=model.model_version)
            found.append({**row, "weight": weight})
        return found

    def _is_single(self, config: tuple[ServiceEntry, ...]) -> bool:
        """Whether there is one model. Refused (`models-batch`) when there are more than a batch service may have."""
        most = self._edition.get(vocabulary.BATCH_MODELS, 1)
        if len(config) > most:
            raise Refused(
                f"config has {len(config)} models; a batch service has {most}",
                hint="make a service for each",
                case="models-batch",
            )
        return len(config) == 1

    def _require_deployable(self, entry: ServiceEntry, model: Model, infer_type: str) -> None:
        name = f"{model.model_name} {model.model_version}"
        if model.status != ModelStatus.PUBLISHED:
            raise Refused(
                f"model {name} is {model.status}, not published",
                hint=model.error_msg or "wait until its import has ended",
                case="model-unpublished",
            )
        kinds = model.request.get("install_type") or INFER_TYPES
        if infer_type not in kinds:
            raise Refused(f"model {name} is for {', '.join(kinds)} services", case="model-kind")
        wishes.flavor_of(entry, self._settings.flavors)
        wishes.require_envs(entry.envs)
        wishes.require_rolling(entry.additional_properties)
        most = self._quota(self._settings.quotas.instances, vocabulary.INSTANCE_QUOTA)
        if entry.instance_count < 1:
            raise Invalid(f"instance_count is {entry.instance_count}; it must be at least 1", case="parameter-invalid")
        if most is not None and entry.instance_count > most:
            raise Refused(
                f"instance_count of {name} is {entry.instance_count}; {most} are allowed",
                hint="quotas.instances raises it",
                case="instances-quota",
            )
        self._require_timeout(entry.deploy_timeout_in_seconds)
        if infer_type == BATCH:
            batch_wish(entry.extra, model.config)

    def _require_timeout(self, seconds: int | None) -> None:
        if seconds is None:
            return
        least = self._edition.get(vocabulary.DEPLOY_TIMEOUT_MIN, SHORTEST_TIMEOUT_SECONDS)
        most = self._edition.get(vocabulary.DEPLOY_TIMEOUT_MAX, LONGEST_TIMEOUT_SECONDS)
        if not least <= seconds <= most:
            raise Invalid(
                f"deploy_timeout_in_seconds is {seconds}; it must be from {least} to {most}", case="parameter-invalid"
            )

    def patience_ms(self, config: Sequence[dict[str, Any]]) -> int:
        """How long a configuration has to come true: as long as its most patient model."""
        ours = self._settings.timings.deploy_timeout_seconds
        stated = vocabulary.DEPLOY_TIMEOUT_DEFAULT
        default = float(self._edition[stated]) if stated in self._edition else ours
        return max(int(1000 * (row.get("deploy_timeout_in_seconds") or default)) for row in config)

    def _quota(self, chosen: int | None, fact: Fact[int]) -> int | None:
        """What the settings say, else the edition; None is no limit."""
        if chosen is not None:
            return chosen
        return self._edition[fact] if fact in self._edition else None  # noqa: SIM401 - `get` takes no None for an int
