"""Where containers live on this machine: start them, see how they are, and say why when they are not well."""

from mooring.engine.cause import Facts
from mooring.engine.container import ImageFacts, Launch, LogStream, Sighting
from mooring.engine.diagnosis import Diagnosis, diagnose
from mooring.engine.docker import DockerEngine
from mooring.engine.probe import Answer
from mooring.engine.readiness import Expectation, Started, wait_until_healthy
from mooring.engine.sockets import Listener

__all__ = [
    "Answer",
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
    "diagnose",
    "wait_until_healthy",
]
