"""The platform's logging module: what `logging` has, with a `getLogger` whose INFO lines come out."""

# ruff: noqa: INP001 - a folder of modules that stand at the top of the import path

from logging import *  # noqa: F403 - code written for it takes levels and handlers from here too

from mooring_serve.compat.console import get_logger

getLogger = get_logger  # noqa: N816 - the name that packages call
