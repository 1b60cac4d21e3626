import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from mooring.control.database import Database
from mooring.control.settings import Settings, Timings
from mooring.control.tables import Heard, Project
from mooring.errors import Conflict, Invalid, Unavailable

HOLDING = """
import sys
from pathlib import Path
from mooring.control.database import Database
from mooring.control.settings import Settings
hold = Database.open(Settings(data=Path(sys.argv[1]), database=sys.argv[2])).lock()
print("held", flush=True)
sys.stdin.read()
"""


def heard(name):
    return Heard(gateway_id=name, number=1, heard_at=1)


def add(db, *rows):
    with db.begin() as session:
        session.add_all(rows)


def names(db):
    with db.read() as session:
        return sorted(session.scalars(select(Heard.gateway_id)))


def test_what_a_block_did_is_kept_when_it_ends_and_undone_when_it_raises(db):
    with db.begin() as session:
        session.add(heard("kept"))

    def interrupted():
        with db.begin() as session:
            session.add(heard("undone"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    assert names(db) == ["kept"]


def test_rows_stay_readable_after_their_transaction(db):
    with db.begin() as session:
        session.add(row := heard("a"))
    assert row.number == 1


def test_a_child_without_its_parent_is_refused(db):
    with pytest.raises(IntegrityError), db.begin() as session:
        session.execute(
            text(
                "INSERT INTO event (project_id, subject_id, event_type, event_info, occurred_at)"
                " VALUES ('none', 'a', 'normal', 'b', 1)"
            )
        )


def test_reading_cannot_write(db):
    statement = text("INSERT INTO heard (gateway_id, number, heard_at) VALUES ('a', 1, 1)")
    with db.read() as session, pytest.raises(DBAPIError):
        session.execute(statement)
    assert names(db) == []


def test_a_reader_sees_one_moment_and_waits_for_no_writer(db):
    with db.begin() as writing:
        writing.add(heard("a"))
        writing.flush()
        with db.read() as reading:
            assert reading.scalars(select(Heard)).all() == []
            with pytest.raises(Unavailable), db.begin():
                pass
            writing.commit()
            assert reading.scalars(select(Heard)).all() == []
    assert names(db) == ["a"]


def test_writers_take_turns_so_that_what_was_read_stays_true(db):
    with db.begin() as session:
        session.add(Heard(gateway_id="a", number=0, heard_at=1))

    def count_up():
        for _ in range(20):
            with db.begin() as session:
                row = session.get(Heard, "a")
                number = row.number
                time.sleep(0)  # lets the other thread in between reading and writing
                row.number = number + 1

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert session.get(Heard, "a").number == 80


def test_a_platform_keeps_its_id(settings, db):
    first = db.platform_id()
    again = Database.open(settings)
    assert again.platform_id() == first
    assert len(first) == 32
    again.close()


def test_text_that_the_database_cannot_keep_is_invalid_or_kept(db):
    try:
        with db.begin() as session:
            session.add(heard("a\0b"))
    except Invalid:
        return
    assert names(db) == ["a\0b"]


class TestOnePlatformOnly:
    def test_a_second_platform_is_told_who_is_first(self, settings, db):
        with db.lock() as hold:
            hold.check()
            with pytest.raises(Conflict) as error:
                db.lock()
            assert f"process {os.getpid()}" in error.value.message
        with db.lock():
            pass

    def test_another_data_folder_on_the_same_database_is_refused_too(self, settings, db, tmp_path):
        other = Settings(data=tmp_path / "other", database=settings.database, timings=settings.timings)
        second = Database.open(other)
        with db.lock():
            with pytest.raises(Conflict) as error:
                second.lock()
            assert f"process {os.getpid()}" in error.value.message
        second.close()

    def test_a_platform_that_was_killed_leaves_the_place_to_the_next(self, settings, db):
        command = [sys.executable, "-c", HOLDING, str(settings.data), settings.database]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
            assert first.stdout.readline() == b"held\n"
            with pytest.raises(Conflict) as error:
                db.lock()
            assert f"process {first.pid}" in error.value.message
            first.kill()
            first.wait(timeout=10)
            with db.lock():
                pass


class TestAnswersOfTheWorld:
    def test_a_password_is_in_no_message(self, tmp_path):
        url = "postgresql://me:hush@127.0.0.1:1/db"
        db = Database.open(Settings(data=tmp_path, database=url, timings=Timings(database_seconds=0.2)))
        with pytest.raises(Unavailable) as error, db.begin():
            pass
        assert "127.0.0.1" in error.value.message
        assert "hush" not in error.value.message

    @pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "no url"])
    def test_a_database_of_another_kind_is_invalid(self, tmp_path, url):
        with pytest.raises(Invalid):
            Database.open(Settings(data=tmp_path, database=url))

    def test_a_folder_that_cannot_be_made_is_invalid(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(Invalid, match="cannot make"):
            Database.open(Settings(data=tmp_path / "file" / "data"))

    def test_a_file_that_is_no_database_is_told(self, tmp_path):
        (tmp_path / "mooring.db").write_bytes(b"a letter to my mother" * 100)
        db = Database.open(Settings(data=tmp_path, timings=Timings(database_seconds=0.2)))
        with pytest.raises(Unavailable, match="not a database"):
            db.migrate()
        db.close()

    def test_nobody_else_can_read_the_files_of_sqlite(self, tmp_path):
        db = Database.open(Settings(data=tmp_path / "data"))
        db.migrate()
        with db.begin() as session:
            session.add(heard("a"))
            files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "data").iterdir()}
        db.close()
        assert files == {"mooring.db": 0o600, "mooring.db-wal": 0o600, "mooring.db-shm": 0o600}
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700

    def test_a_database_that_stays_locked_is_unavailable_and_one_that_is_free_again_is_not(self, tmp_path):
        db = Database.open(Settings(data=tmp_path, timings=Timings(database_seconds=0.3)))
        db.migrate()
        other = sqlite3.connect(tmp_path / "mooring.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match="locked"), db.begin():
            pass
        with db.read() as session:
            assert session.scalars(select(Project)).all() == []
        other.execute("ROLLBACK")
        other.close()
        with db.begin() as session:
            session.add(heard("a"))
        db.close()

    def test_a_full_disk_is_unavailable_and_costs_nothing_that_was_kept(self, tmp_path):
        db = Database.open(Settings(data=tmp_path))
        db.migrate()
        with db.begin() as session:
            session.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(Unavailable, match="full"):
            add(db, *[heard(f"{number:0500}") for number in range(2000)])
        assert names(db) == []
        db.close()


class TestPostgresqlGoesAway:
    @pytest.fixture
    def db(self, postgresql_server, tmp_path):
        with postgresql_server.database() as url:
            settings = Settings(data=tmp_path, database=url, timings=Timings(database_seconds=1))
            database = Database.open(settings)
            database.migrate()
            yield database
            database.close()

    def test_a_server_that_is_away_is_unavailable_and_back_as_soon_as_it_is_back(self, db, postgresql_server):
        with db.lock() as hold:
            add(db, heard("before"))
            postgresql_server.stop()
            try:
                with pytest.raises(Unavailable), db.begin():
                    pass
                with pytest.raises(Unavailable), db.read():
                    pass
                with pytest.raises(Unavailable):
                    hold.check()
            finally:
                postgresql_server.start()
            hold.check()
            add(db, heard("after"))
            assert names(db) == ["after", "before"]
            with pytest.raises(Conflict):
                db.lock()

    def test_a_transaction_that_loses_its_server_is_unavailable_and_undone(self, db, postgresql_server):
        def interrupted():
            with db.begin() as session:
                session.add(heard("a"))
                session.flush()
                postgresql_server.stop()
                postgresql_server.start()

        with pytest.raises(Unavailable):
            interrupted()
        assert names(db) == []

    def test_a_hold_that_another_platform_took_meanwhile_is_a_conflict(self, db, postgresql_server, tmp_path):
        with db.lock() as hold:
            postgresql_server.stop()
            postgresql_server.start()
            second = Settings(data=tmp_path / "other", database=db._settings.database)
            other = Database.open(second)
            with other.lock(), pytest.raises(Conflict, match=f"process {os.getpid()}"):
                hold.check()
            hold.check()
            other.close()
