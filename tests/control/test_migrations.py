import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from mooring.control.database import Database
from mooring.control.migrations.steps import configuration
from mooring.control.tables import Base
from mooring.errors import Refused


@pytest.fixture
def empty(settings):
    database = Database.open(settings)
    yield database
    database.close()


def tables_of(database):
    with database.read() as session:
        return set(inspect(session.connection()).get_table_names())


def revisions():
    return [revision.revision for revision in ScriptDirectory.from_config(configuration(None)).walk_revisions()][::-1]


def test_the_migrations_make_the_tables_as_they_are_declared(db):
    with db.read() as session:
        found = compare_metadata(
            MigrationContext.configure(session.connection(), opts={"compare_type": True}), Base.metadata
        )
    assert found == []


def test_every_step_goes_down_and_up_again(empty):
    before = [tables_of(empty)]
    for revision in revisions():
        empty.migrate(revision)
        before.append(tables_of(empty))
    assert before[-1] == {*Base.metadata.tables, "alembic_version"}
    for revision, expected in zip([*revisions()[:-1][::-1], "base"], before[:-1][::-1], strict=True):
        empty.migrate(revision)
        assert tables_of(empty) - {"alembic_version"} == expected - {"alembic_version"}
    empty.migrate()
    assert tables_of(empty) == before[-1]


def test_tables_that_are_up_to_date_are_left_alone(db):
    first = db.platform_id()
    db.migrate()
    assert db.platform_id() == first


def test_tables_of_a_newer_mooring_are_refused(db):
    with db.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused) as error:
        db.migrate()
    assert error.value.case == "database-newer"
    assert "9999" in error.value.message
