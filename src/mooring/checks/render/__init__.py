"""A report in one format: one file each."""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING

from mooring.checks.render.json import as_json
from mooring.checks.render.junit import junit
from mooring.checks.render.sarif import sarif
from mooring.checks.render.tally import EXIT_CODES
from mooring.checks.render.terminal import Terminal
from mooring.checks.render.text import text

if TYPE_CHECKING:
    from mooring.checks.report import Report

__all__ = ["EXIT_CODES", "Format", "Terminal", "render"]


class Format(enum.StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


_FOR_PROGRAMS = {Format.JSON: as_json, Format.SARIF: sarif, Format.JUNIT: junit}


def render(report: Report, form: Format | str = Format.TEXT, *, verbose: bool = False, terminal: bool = False) -> str:
    """The report in that format, ending in a line end; the same report gives the same text on every machine.

    `verbose` is for Format.TEXT, and so is `terminal`, which tells that the text goes to the terminal at standard
    output: then lines are as wide as it is, with colours unless NO_COLOR is set. A name that is no format is a
    ValueError.
    """
    chosen = Format(form)
    if chosen is Format.TEXT:
        return text(report, verbose=verbose, terminal=Terminal.of(sys.stdout) if terminal else Terminal())
    return _FOR_PROGRAMS[chosen](report)
