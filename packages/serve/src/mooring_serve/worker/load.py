"""Which kind of project a folder holds, and its program."""

import os
from pathlib import Path
from typing import Any, Dict

from mooring_serve.program import Program


def load(directory: str, config: Dict[str, Any], batch: int) -> Program:
    """The program of a project folder: its `handler.py`, or else a ModelArts package.

    Raises:
        LoadError: when there is neither, or it does not fit `config.json`.
        Exception: whatever the user's own code raises while loading.
    """
    os.chdir(directory)
    # Each kind is imported only where it is needed: a worker starts within some 50 ms.
    if (Path(directory) / "handler.py").is_file():
        from mooring_serve.worker.handlers import load_handler  # noqa: PLC0415

        return load_handler(Path(directory), config, batch)
    from mooring_serve import compat  # noqa: PLC0415

    program: Program = compat.load(directory, config)
    return program
