"""What requests about models hold, as CreateModel and ListModels have it, and as clients write it."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from mooring.api.leniency import DESCRIPTION, Flag, JsonList, JsonText, Lower, Order, Text, Whole, one_of, said
from mooring.control.model_rules import VERSION
from mooring.control.model_views import ModelQuery, ModelWish
from mooring.control.page import LIMIT
from mooring.control.status import ModelStatus

MODEL_TYPES = (
    "TensorFlow",
    "PyTorch",
    "MindSpore",
    "MXNet",
    "Caffe",
    "Spark_MLlib",
    "Scikit_Learn",
    "XGBoost",
    "Image",
    "Custom",
    "Template",
)
ModelType = Annotated[str, one_of(*MODEL_TYPES), said(enum=list(MODEL_TYPES))]
TypeFilter = Annotated[str, one_of(*MODEL_TYPES), said(enum=["", *MODEL_TYPES])]
_KINDS = {"realtime": "real-time"}


def _kind(value: Any) -> Any:
    return _KINDS.get(value.lower(), value.lower()) if isinstance(value, str) else value


InstallType = Annotated[str, BeforeValidator(_kind), said(enum=["real-time", "batch"])]


class ModelDoc(BaseModel):
    """A page about a model."""

    doc_name: str
    doc_url: str


class ModelBody(BaseModel):
    """CreateModel. Fields that it does not know are taken no notice of."""

    model_name: Annotated[str, said(pattern="^[A-Za-z0-9_-]{1,64}$")]
    model_version: Annotated[str, said(pattern=f"^{VERSION.pattern}$")]
    model_type: ModelType
    source_location: str | None = None
    source_copy: Flag | None = None
    initial_config: JsonText | None = None
    description: Annotated[str, DESCRIPTION] | None = None
    workspace_id: Text | None = None
    install_type: list[InstallType] | None = None
    apis: JsonList | None = None
    input_params: list[dict[str, Any]] | None = None
    output_params: list[dict[str, Any]] | None = None
    dependencies: list[dict[str, Any]] | None = None
    model_algorithm: str | None = None
    model_metrics: JsonText | None = None
    runtime: str | None = None
    execution_code: str | None = None
    source_job_id: str | None = None
    source_job_version: str | None = None
    source_type: str | None = None
    source_location_type: str | None = None
    model_docs: list[ModelDoc] | None = None
    template: dict[str, Any] | None = None
    cmd: str | None = None

    def wish(self) -> ModelWish:
        """What is asked of the catalog; what it has no name for is kept, to be told again."""
        known = {"model_name", "model_version", "model_type", "initial_config", "source_copy", "description"}
        rest = self.model_dump(exclude_none=True, exclude=known | {"source_location", "workspace_id"})
        return ModelWish(
            model_name=self.model_name,
            model_version=self.model_version,
            model_type=self.model_type,
            source_location=self.source_location or "",
            initial_config=self.initial_config or "",
            source_copy=True if self.source_copy is None else self.source_copy,
            description=self.description or "",
            workspace_id=self.workspace_id or "0",
            install_type=tuple(self.install_type or ("real-time", "batch")),
            request=rest,
        )


class ModelFilters(BaseModel):
    """ListModels. `offset` is a record's position."""

    model_name: str = Field("", description="A part of the name.")
    exact_match: Flag = Field(default=False, description="The whole name, not a part of it.")
    model_version: str = ""
    model_status: Annotated[Lower, said(enum=["", *ModelStatus])] = ""
    description: str = Field("", description="A part of the description.")
    workspace_id: str = ""
    model_type: TypeFilter = ""
    not_model_type: TypeFilter = ""
    offset: Whole = Field(0, description="The position of the first record, from 0.")
    limit: Whole = LIMIT
    sort_by: Annotated[Lower, said(enum=["create_at", "model_version", "model_size"])] = "create_at"
    order: Order = "desc"

    def query(self) -> ModelQuery:
        """What is asked of the catalog."""
        return ModelQuery(**self.model_dump())
