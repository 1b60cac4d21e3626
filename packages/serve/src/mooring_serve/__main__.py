"""`python -m mooring_serve DIR`: serve a project folder."""

from __future__ import annotations

from mooring_serve import early

early.note_signals()  # before the slow imports

# ruff: noqa: E402
import argparse
import os
import sys
from pathlib import Path

from mooring_serve.config import Config, NotClean, find, read
from mooring_serve.logs import log, take_over
from mooring_serve.settings import BadSetting, Settings, unknown
from mooring_serve.worker_process import Job

_BAD_USE = 2


def main() -> None:
    """Read what is to be served, and serve it until a signal ends it."""
    parser = argparse.ArgumentParser(
        prog="mooring-serve", description="Serve a project folder; settings are MOORING_... variables."
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="the project: config.json, handler.py, model/")
    parser.add_argument("--config", type=Path, help="the clean form of config.json, when it is not the one in DIR")
    options = parser.parse_args()
    try:
        directory, config = _opened(options.directory, options.config)
        settings = Settings.from_environment(os.environ)
    except (NotClean, BadSetting) as error:
        print(f"mooring-serve: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        sys.exit(_BAD_USE)
    for name, nearest in unknown(os.environ).items():
        log("WARNING", "unknown setting", name=name, nearest=nearest)
    sys.exit(_run(directory, config, settings))


def _opened(directory: Path, config: Path | None) -> tuple[Path, Config]:
    directory = directory.resolve()
    if not directory.is_dir():
        raise NotClean(f"{directory} is not a folder")
    is_package = not (directory / "handler.py").is_file()
    return directory, read(config or find(directory), is_package=is_package)


def _run(directory: Path, config: Config, settings: Settings) -> int:
    from mooring_serve.pool import Pool  # noqa: PLC0415 - the worker starts before the server is imported

    take_over()
    job = Job(settings.interpreter(str(directory)), str(directory), str(config.path.resolve()), settings.batch_size)
    pool = Pool(job, settings)
    from mooring_serve.run import run  # noqa: PLC0415 - imports what is slow, while the worker loads the model

    try:
        return run(config, settings, pool)
    except OSError as error:
        log("ERROR", "cannot listen", host=settings.host, port=settings.port, reason=error.strerror or str(error))
        for member in pool.members:
            member.kill()
        return _BAD_USE


if __name__ == "__main__":
    main()
