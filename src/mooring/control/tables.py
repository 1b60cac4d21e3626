"""The rows that a platform keeps; everything it knows and cannot see in the world is here.

Times are integer milliseconds since the epoch, UTC, as the v1 API tells them; ids of models and services are UUIDs in
text, ids of projects 32 hex digits. What the API takes and gives, and nothing here looks into, is kept as JSON.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all rows share: names of constraints that migrations can rely on."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 - SQLAlchemy's own form


class Platform(Base):
    """The one row that says which platform this database is: its id marks workloads as its own."""

    __tablename__ = "platform"

    id: Mapped[str] = mapped_column(primary_key=True)
    edition: Mapped[str]
    created_at: Mapped[int]


class Project(Base):
    """A tenant's project: nothing of one is seen from another."""

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    domain_id: Mapped[str]
    domain_name: Mapped[str]
    created_at: Mapped[int]


class Key(Base):
    """What opens a project: a `token`, a `pair` (access key and secret), an `app` code, or a `gateway`'s own token.

    Tokens and codes are kept as SHA-256 (`digest`), a pair's secret sealed, as signatures cannot be checked without it.
    `session` tokens are made by logging in, and name the key that they were made with as `parent_id`.
    """

    __tablename__ = "key"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    service_id: Mapped[str | None] = mapped_column(index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("key.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    user_name: Mapped[str]
    description: Mapped[str]
    access: Mapped[str | None] = mapped_column(unique=True)
    digest: Mapped[str | None] = mapped_column(unique=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    revoked_at: Mapped[int | None]


class Model(Base):
    """A named, versioned image with its config and the report that let it in; `request` is what it was created with.

    `status` is publishing, building, published, failed or building_failed. `image` is what an engine runs: an image's
    pinned name, or for the process engine a project's folder. `initial_config` is the text that was sent, or what the
    image itself carries, verbatim; `config` its clean form. `report` is the check's, as its JSON.
    """

    __tablename__ = "model"
    __table_args__ = (UniqueConstraint("project_id", "model_name", "model_version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    owner: Mapped[str]
    model_name: Mapped[str]
    model_version: Mapped[str]
    model_type: Mapped[str]
    description: Mapped[str]
    workspace_id: Mapped[str]
    status: Mapped[str]
    error_msg: Mapped[str]
    source_location: Mapped[str]
    source_copy: Mapped[bool]
    image: Mapped[str]
    image_digest: Mapped[str]
    size_bytes: Mapped[int]
    initial_config: Mapped[str]
    config: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    created_at: Mapped[int]
    updated_at: Mapped[int]


class Service(Base):
    """A standing wish: these model versions, this many instances, this share of traffic.

    `target` is what is wanted (`running`, `stopped`, `finished`, `deleted`), `status` what the API tells. `revision` is
    the newest wish about the configuration, `serving_revision` the last one that came true (0: none has), to which a
    failed update goes back. `due_at` is when its schedule stops it. `request` holds the other fields it was created or
    updated with.
    """

    __tablename__ = "service"
    __table_args__ = (UniqueConstraint("project_id", "service_name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    owner: Mapped[str]
    service_name: Mapped[str]
    infer_type: Mapped[str]
    description: Mapped[str]
    workspace_id: Mapped[str]
    target: Mapped[str]
    status: Mapped[str]
    error_msg: Mapped[str]
    progress: Mapped[int]
    revision: Mapped[int]
    serving_revision: Mapped[int]
    schedule: Mapped[list[Any] | None] = mapped_column(JSON)
    additional_properties: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    due_at: Mapped[int | None]
    published_at: Mapped[int]
    started_at: Mapped[int | None]
    updated_at: Mapped[int]
    transition_at: Mapped[int]
    operation_at: Mapped[int]


class Revision(Base):
    """One configuration of a service: `config` is the normalised list of v1, `result` RUNNING, SUCCESS or FAIL."""

    __tablename__ = "revision"

    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    config: Mapped[list[Any]] = mapped_column(JSON)
    result: Mapped[str]
    error_msg: Mapped[str]
    created_at: Mapped[int]
    deadline_at: Mapped[int]
    ended_at: Mapped[int | None]


class Replica(Base):
    """One instance of one model version of a service, from the wish to start it until nothing is left of it.

    `name` is its workload's, made from service, template and ordinal, so that it cannot be made twice. `template` is a
    digest of all that makes two replicas alike. `ready_at` is since when it answers (None: not yet, or no longer),
    `draining_at` since when it gets no new calls. `restarts` and `exited_at` are for backing off.
    """

    __tablename__ = "replica"

    name: Mapped[str] = mapped_column(primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    model_id: Mapped[str]
    template: Mapped[str]
    ordinal: Mapped[int]
    created_at: Mapped[int]
    ready_at: Mapped[int | None]
    draining_at: Mapped[int | None]
    restarts: Mapped[int]
    exited_at: Mapped[int | None]
    why: Mapped[str]


class Job(Base):
    """One task of a batch service: `wish` is what it was told of input, output and mapping (`batch_wishes.Wish`).

    The newest of a service is the one that counts; older ones are dropped after a while, and so are those of a service
    that is gone, with their items. `total` inputs were listed until now, of which `done` and `failed` have an outcome;
    `requests` were sent for those, and `failed_requests` of them failed: one for a file, one for each row of a table;
    `live` were done of inputs in hand. `rate` is how many requests are done in 1000 seconds, lately. `parts` is how
    many files its list of results has.
    """

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("service_id", "task_id"),)

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    service_id: Mapped[str]
    task_id: Mapped[str]
    revision: Mapped[int]
    wish: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str]
    total: Mapped[int]
    done: Mapped[int]
    failed: Mapped[int]
    requests: Mapped[int]
    failed_requests: Mapped[int]
    live: Mapped[int]
    rate: Mapped[int]
    parts: Mapped[int]
    created_at: Mapped[int]
    started_at: Mapped[int | None]
    finished_at: Mapped[int | None]


class Item(Base):
    """One input of a job: the rows are the truth about what is done, and the list of results is made of them.

    `number` counts from 0 in the order of the input; `source`, `name` and `result` are as in `mooring.batch.Item`.
    `state` is pending, done or failed, and `error_message` says why it failed. `attempts` counts outcomes.
    """

    __tablename__ = "item"

    job_id: Mapped[int] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    name: Mapped[str]
    result: Mapped[str]
    size: Mapped[int | None]
    state: Mapped[str]
    error_message: Mapped[str]
    requests: Mapped[int]
    failed_requests: Mapped[int]
    attempts: Mapped[int]


class Event(Base):
    """One dated line of a model's or a service's story; `subject_id` is its id, `event_type` normal or abnormal."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "subject_id", "occurred_at"),)

    # SQLite counts up only what it calls an integer.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    subject_id: Mapped[str]
    event_type: Mapped[str]
    event_info: Mapped[str]
    occurred_at: Mapped[int]


class Calls(Base):
    """How many calls of one model version of a service ended in one minute, and how many of them failed."""

    __tablename__ = "calls"

    service_id: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True)
    calls: Mapped[int]
    failures: Mapped[int]


class Totals(Base):
    """All calls of one model version of a service since it exists; the minutes of `Calls` are dropped after a while."""

    __tablename__ = "totals"

    service_id: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(primary_key=True)
    calls: Mapped[int]
    failures: Mapped[int]


class Heard(Base):
    """The last report of each gateway that was counted, so that none is counted twice."""

    __tablename__ = "heard"

    gateway_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    heard_at: Mapped[int]
