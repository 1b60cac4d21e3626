"""The statuses of services and models, as the v1 API spells them (ShowService, ShowModel)."""

from __future__ import annotations

from enum import StrEnum

# What a service is for: callers that wait, or a job.
REAL_TIME, BATCH = INFER_TYPES = ("real-time", "batch")


class Target(StrEnum):
    """What is wanted of a service; that a batch service has nothing more to do is `finished`."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"
    DELETED = "deleted"


class ServiceStatus(StrEnum):
    """How far a service is from what is wanted of it."""

    DEPLOYING = "deploying"
    RUNNING = "running"
    CONCERNING = "concerning"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DELETING = "deleting"
    FINISHED = "finished"


class ModelStatus(StrEnum):
    """How far an import is."""

    PUBLISHING = "publishing"
    BUILDING = "building"
    PUBLISHED = "published"
    FAILED = "failed"
    BUILDING_FAILED = "building_failed"


class EntryStatus(StrEnum):
    """How many of a model's instances in a service are well: all, some, none (modelarts_03_0084)."""

    READY = "ready"
    CONCERNING = "concerning"
    NOT_READY = "notReady"


class JobState(StrEnum):
    """How far the job of a batch service is; whether anybody works at it, the service's status tells."""

    NEW = "new"
    LISTING = "listing"
    FEEDING = "feeding"
    FINISHED = "finished"


class ItemState(StrEnum):
    """What became of one input of a job."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Result(StrEnum):
    """What became of a service's configuration (ShowServiceUpdateLogs)."""

    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


# Something is under way already (ModelArts.3519; where the documents contradict each other, running may be changed).
UNDER_WAY = frozenset({ServiceStatus.DEPLOYING, ServiceStatus.STOPPING, ServiceStatus.DELETING})
ANSWERING = frozenset({ServiceStatus.RUNNING, ServiceStatus.CONCERNING})
