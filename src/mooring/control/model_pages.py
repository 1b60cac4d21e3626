"""The models that match, a page of them at a time."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, case, cast, func, select

from mooring.control.model_views import ModelView
from mooring.control.page import Page, read_page
from mooring.control.status import ModelStatus
from mooring.control.tables import Model
from mooring.control.texts import is_text
from mooring.errors import Invalid

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from mooring.control.model_views import ModelQuery

SORTED_BY = ("create_at", "model_version", "model_size")


def view_of(model: Model) -> ModelView:
    """A model as it is shown."""
    return ModelView(**{one.name: getattr(model, one.name) for one in fields(ModelView)})


def page_of(session: Session, project_id: str, query: ModelQuery) -> Page[ModelView]:
    """One page of a project's models. Invalid (`parameter-invalid`) for a filter that none can match."""
    statement = _filtered(query).where(Model.project_id == project_id).order_by(*_order(query))
    return read_page(session, statement, offset=query.offset, limit=query.limit).map(view_of)


def _filtered(query: ModelQuery) -> Select[Any]:
    found = select(Model)
    if name := _text("model_name", query.model_name):
        # Not exact, the documents' `_` and `*` would be wildcards; here they are themselves.
        found = found.where(Model.model_name == name if query.exact_match else _has(Model.model_name, name))
    if version := _text("model_version", query.model_version):
        # The documents write the pattern of a version with colons as well (ListModels).
        found = found.where(Model.model_version == version.replace(":", "."))
    if query.model_status:
        found = found.where(Model.status == _status(query.model_status))
    if words := _text("description", query.description):
        found = found.where(_has(Model.description, words))
    if workspace := _text("workspace_id", query.workspace_id):
        found = found.where(Model.workspace_id == workspace)
    kind, but = _text("model_type", query.model_type), _text("not_model_type", query.not_model_type)
    if kind and but:
        raise _invalid("model_type and not_model_type exclude each other", "leave one of them out")
    if kind:
        found = found.where(func.lower(Model.model_type) == kind.lower())
    return found.where(func.lower(Model.model_type) != but.lower()) if but else found


def _has(column: Any, words: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.icontains(words, autoescape=True)
    return found


def _text(name: str, value: str) -> str:
    """The value, unless it has what no text in a database has."""
    if not is_text(value):
        raise _invalid(f"{name} has characters that are none", "send text as UTF-8")
    return value


def _status(text: str) -> str:
    wanted = text.lower()
    if wanted not in set(ModelStatus):
        raise _invalid(f"model_status is {text[:100]!r}", f"it must be one of {', '.join(ModelStatus)}")
    return wanted


def _order(query: ModelQuery) -> list[ColumnElement[Any]]:
    order = query.order.lower()
    if query.sort_by not in SORTED_BY or order not in ("asc", "desc"):
        raise _invalid(
            f"sort_by is {query.sort_by[:50]!r} and order {query.order[:50]!r}",
            f"sort_by must be one of {', '.join(SORTED_BY)}, and order asc or desc",
        )
    columns: dict[str, tuple[ColumnElement[Any], ...]] = {
        "create_at": (Model.created_at.expression,),
        "model_version": _version_parts(),
        "model_size": (Model.size_bytes.expression,),
    }
    chosen = columns[query.sort_by]
    return [*(one.asc() if order == "asc" else one.desc() for one in chosen), Model.id.asc()]


def _version_parts() -> tuple[ColumnElement[Any], ...]:
    """The three numbers of a version, 1.10.0 after 1.9.0; each has one digit or two."""
    parts: list[ColumnElement[Any]] = []
    rest: ColumnElement[str] = Model.model_version.expression
    for _ in range(2):
        length = case((rest.like("__.%"), 2), else_=1)
        parts.append(cast(func.substr(rest, 1, length), Integer))
        rest = func.substr(rest, length + 2)
    return (*parts, cast(rest, Integer))


def _invalid(message: str, hint: str) -> Invalid:
    return Invalid(message, hint=hint, case="parameter-invalid")
