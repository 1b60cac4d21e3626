"""Alembic runs this file to take steps; the connection is handed in, and its transaction is the caller's."""

from alembic import context

from mooring.control.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite changes a table by copying it.
    render_as_batch=True,
)
context.run_migrations()
