"""The command line: one file a verb, and one table from errors to exit codes."""

from mooring.cli.app import main

__all__ = ["main"]
