"""From a folder on a developer's disk to an image that keeps the contract."""

from mooring.project.build import Built, Options, build, eject
from mooring.project.builder import find_builder
from mooring.project.project import Kind, Project
from mooring.project.reference import require_image_name
from mooring.project.scaffold import DEFAULT_TEMPLATE, scaffold, templates

__all__ = [
    "DEFAULT_TEMPLATE",
    "Built",
    "Kind",
    "Options",
    "Project",
    "build",
    "eject",
    "find_builder",
    "require_image_name",
    "scaffold",
    "templates",
]
