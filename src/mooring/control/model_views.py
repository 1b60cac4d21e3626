"""Models as callers wish them and as they are shown: one, or a page of those that match."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.control.page import LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ModelWish:
    """A model to be, as CreateModel has it.

    `source_location` is an image in the engine, a registry reference, a `docker save` archive, an OCI layout or a
    project's folder, the last three by their path on the platform's machine. `initial_config` is the text of a
    config.json, "" for the image's own. `request` are the other fields, kept and told back as they came.
    """

    model_name: str
    model_version: str
    model_type: str
    source_location: str
    initial_config: str = ""
    source_copy: bool = True
    description: str = ""
    workspace_id: str = "0"
    install_type: tuple[str, ...] = ("real-time", "batch")
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ModelQuery:
    """Which models, as ListModels has its parameters; "" for all. Name and description match in part."""

    model_name: str = ""
    exact_match: bool = False
    model_version: str = ""
    model_status: str = ""
    description: str = ""
    workspace_id: str = ""
    model_type: str = ""
    not_model_type: str = ""
    offset: int = 0
    limit: int = LIMIT
    sort_by: str = "create_at"
    order: str = "desc"


@dataclass(frozen=True, kw_only=True)
class ModelView:
    """A model as it is at one moment; times in ms, size in bytes, `config` the clean form of its config.json."""

    id: str
    project_id: str
    owner: str
    model_name: str
    model_version: str
    model_type: str
    description: str
    workspace_id: str
    status: str
    error_msg: str
    source_location: str
    source_copy: bool
    image: str
    image_digest: str
    size_bytes: int
    initial_config: str
    config: Mapping[str, Any] | None
    request: Mapping[str, Any]
    created_at: int
    updated_at: int


@dataclass(frozen=True)
class NotDeleted:
    """A model that could not be deleted, and why; `case` as errors have it."""

    model_id: str
    case: str
    message: str


@dataclass(frozen=True)
class Deleted:
    """What became of a wish to delete."""

    success: tuple[str, ...]
    failed: tuple[NotDeleted, ...] = ()
