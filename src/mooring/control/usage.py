"""Which services a model cannot be taken from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, or_, select

from mooring.control.tables import Replica, Revision, Service

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from mooring.control.tables import Model


def services_using(session: Session, model: Model) -> tuple[str, ...]:
    """The names of the services that want it, would go back to it, or have instances of it still running; sorted."""
    # An id is a UUID, and the configuration JSON: every database can look for the one in the other as text.
    mention = cast(Revision.config, Text).contains(model.id, autoescape=True)
    counts = or_(Revision.number == Service.revision, Revision.number == Service.serving_revision)
    wanting = select(Revision.service_id).join(Service, Revision.service_id == Service.id).where(mention, counts)
    running = select(Replica.service_id).where(Replica.model_id == model.id)
    statement = select(Service.service_name).where(
        Service.project_id == model.project_id, or_(Service.id.in_(wanting), Service.id.in_(running))
    )
    return tuple(sorted(session.scalars(statement)))
