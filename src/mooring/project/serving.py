"""How a project is served on this machine without an image: the server's command, and its settings."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.errors import NotFound, Refused
from mooring.project.dockerfile import SETTINGS
from mooring.project.project import Kind, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.contract import Edition
    from mooring.engine.workload import Workload

CONFIG_NAME = "config.json"


def served(workload: Workload, edition: Edition, *, config: Mapping[str, Any] | None = None) -> Workload:
    """The workload of a project with all that it takes to run it, for the process engine.

    The edition's limits are its settings, unless its own `env` says otherwise. `config` is the clean form of its
    config.json, when that is not the project's own. A workload with a command is left as it is.

    Raises:
        NotFound: there is no project in its folder, or no interpreter of the name that its mooring.toml gives.
        Invalid: its mooring.toml or its config.json is malformed.
        Refused: it has a server of its own, which only an image can run.
    """
    if workload.command:
        return workload
    project = servable(Path(workload.project))
    clean = project.config.clean() if config is None else config
    return replace(
        workload,
        project=str(project.root),
        command=tuple(server_command(project, f"{{files}}/{CONFIG_NAME}")),
        files={**workload.files, CONFIG_NAME: json.dumps(clean, ensure_ascii=False)},
        env={**server_settings(project, edition), **workload.env},
    )


def servable(folder: Path) -> Project:
    """The project in the folder; Refused when it has a server of its own. Other errors as `Project.open`."""
    project = Project.open(folder)
    if project.kind is Kind.BRING_YOUR_OWN:
        raise Refused(
            f"{folder} has a server of its own, started by its Dockerfile",
            hint=f"mooring build {folder} -t NAME, then run that image",
        )
    return project


def server_command(project: Project, config: str) -> list[str]:
    """The words that start the server of a project; `config` is the path of its config's clean form."""
    return [sys.executable, "-m", "mooring_serve", str(project.root), "--config", config]


def server_settings(project: Project, edition: Edition) -> dict[str, str]:
    """The edition's facts and the project's interpreter as the server's variables.

    Where the edition is silent, the server's own default stands; without an interpreter in mooring.toml the server
    itself finds the project's .venv.
    """
    settings = {name: str(edition[fact]) for fact, name in SETTINGS if fact in edition}
    if project.settings.python:
        settings["MOORING_PYTHON"] = interpreter(project.settings.python, below=project.root)
    return settings


def interpreter(name: str, *, below: Path = Path()) -> str:
    """The full path of a program, looked for in PATH or from `below`; NotFound when there is none."""
    path = shutil.which(below / name if os.sep in name else name)
    if not path:
        raise NotFound(f"there is no Python interpreter {name}", hint="give its path, or make DIR/.venv")
    return str(Path(path).absolute())
