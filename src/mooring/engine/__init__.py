"""Where containers live on this machine: start them, see how they are, and say why when they are not well."""

from mooring.engine import inside
from mooring.engine.cage import Caged, caged
from mooring.engine.cause import Facts
from mooring.engine.container import ImageFacts, Launch, LogStream, Sighting
from mooring.engine.diagnosis import Diagnosis, diagnose
from mooring.engine.docker import DockerEngine
from mooring.engine.interruption import sigterm_unwinds
from mooring.engine.leftovers import checked_name, remove_leftovers
from mooring.engine.probe import Answer
from mooring.engine.readiness import Expectation, Started, wait_until_healthy
from mooring.engine.sockets import Listener

__all__ = [
    "Answer",
    "Caged",
    "Diagnosis",
    "DockerEngine",
    "Expectation",
    "Facts",
    "ImageFacts",
    "Launch",
    "Listener",
    "LogStream",
    "Sighting",
    "Started",
    "caged",
    "checked_name",
    "diagnose",
    "inside",
    "remove_leftovers",
    "sigterm_unwinds",
    "wait_until_healthy",
]
