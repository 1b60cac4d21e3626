"""Starts a worker: `python worker/__main__.py JOB`, run by path so that nothing of the parent's environment leaks in.

The package is put into `sys.modules` by hand: its folder may hold the parent's dependencies beside it, and putting
that folder on `sys.path` would hide the user's own.
"""

import importlib.util
import sys
from pathlib import Path


def _load_package() -> None:
    folder = Path(__file__).resolve().parent.parent
    # Run by path, the first entry is this folder: its module names must not hide the user's.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != folder / "worker"]
    spec = importlib.util.spec_from_file_location(
        "mooring_serve", str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        sys.exit(f"mooring_serve is not readable in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules["mooring_serve"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    _load_package()
    from mooring_serve.worker.process import main

    main(sys.argv[1])
