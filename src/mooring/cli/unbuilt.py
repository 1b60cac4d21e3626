"""A project that is not built: what its own Dockerfile says of the image."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from mooring.checks.dockerfile.prospect import prospect
from mooring.project import Kind
from mooring.project.base import REPOSITORY
from mooring.project.settings import DEFAULT_BASE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mooring.checks.dockerfile.prospect import Prospect
    from mooring.project import Project


def own_dockerfile(folder: Path, project: Project, *, static: bool) -> Callable[[], Prospect] | None:
    """What a build by the project's own Dockerfile will come to; None where it is built by one of ours."""
    if project.kind is not Kind.BRING_YOUR_OWN:
        return None
    base = project.settings.base
    # The Debian base is made here, and is not Debian's own image.
    arguments = {"BASE": REPOSITORY if base == DEFAULT_BASE else base} if base else {}
    return functools.partial(prospect, folder, arguments=arguments, static=static)
