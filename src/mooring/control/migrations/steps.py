"""Takes the steps in `versions`, in the one transaction that it is handed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from mooring.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

BASE = "base"


def migrate(connection: Connection, target: str = "head") -> None:
    """Bring the tables to the revision `target`: up, or down when it lies behind (`base` lies behind all).

    Refused (case `database-newer`) when the tables have a revision that is not in this version of Mooring.
    """
    config = configuration(connection)
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise Refused(
            f"the database was written by a newer version of Mooring (its tables have the revision {current!r})",
            hint="run that version, or restore a backup from before it",
            case="database-newer",
        )
    behind = {revision.revision for revision in script.iterate_revisions(current, BASE)} - {current}
    if target == BASE or target in behind:
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)


def configuration(connection: Connection) -> Config:
    """What Alembic needs to know, which is written in no file."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
