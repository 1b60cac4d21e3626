"""From one form of the tables to the next, up and down; `versions` holds one file a step."""

from mooring.control.migrations.steps import migrate

__all__ = ["migrate"]
