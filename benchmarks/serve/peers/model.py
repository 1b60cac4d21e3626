"""The project's own handler, handed to every peer: decoding, normalising and inference are the same code for all."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

KIND = os.environ.get("BENCH_KIND", "jpeg")  # which of the two requests this server is for
PORT = int(os.environ.get("BENCH_PORT", "8080"))


def load() -> Any:
    """The handler of the project in BENCH_PROJECT, set up and ready to predict."""
    from mooring_serve import Handler

    project = Path(os.environ["BENCH_PROJECT"])
    sys.path.insert(0, str(project))
    spec = importlib.util.spec_from_file_location("project_handler", project / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kinds = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Handler) and v is not Handler]
    handler = kinds[0]()
    handler.setup(project / "model")
    return handler
