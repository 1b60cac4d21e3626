"""Write the step from the tables as the last migration leaves them to the tables as they are declared.

    new_migration.py "What changes, in a sentence."

The new file in src/mooring/control/migrations/versions is a draft: read it, mend it, and see that it goes down as well.
"""

from __future__ import annotations

import sys

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from mooring.control.migrations.steps import configuration, migrate


def main(message: str) -> None:
    """Compare in an empty database in memory, and write."""
    with create_engine("sqlite://").begin() as connection:
        migrate(connection)
        steps = configuration(connection)
        number = len(list((ScriptDirectory.from_config(steps)).walk_revisions())) + 1
        command.revision(steps, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if sys.argv[1:] else __doc__)
