"""The contract as data: editions with their facts, and config.json as people write it."""

from mooring.contract import schema
from mooring.contract.edition import Edition, edition, editions
from mooring.contract.finding import Finding, Level
from mooring.contract.model_config import Api, Body, Dependency, Health, ModelConfig, Package

__all__ = [
    "Api",
    "Body",
    "Dependency",
    "Edition",
    "Finding",
    "Health",
    "Level",
    "ModelConfig",
    "Package",
    "edition",
    "editions",
    "schema",
]
