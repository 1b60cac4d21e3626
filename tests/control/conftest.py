"""A database with its tables, of each kind, and a clock that the test sets."""

import pytest

from mooring.control.database import Database
from mooring.control.settings import Settings, Timings


class Clock:
    """Milliseconds since the epoch, when the test says so."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now

    def pass_ms(self, ms):
        self.now += ms


@pytest.fixture
def clock():
    return Clock(1_750_000_000_000)


@pytest.fixture
def settings(database_url, tmp_path):
    return Settings(
        data=tmp_path / "data", database=database_url, timings=Timings(database_seconds=1, backoff_seconds=10)
    )


@pytest.fixture
def db(settings, clock):
    database = Database.open(settings, now_ms=clock)
    database.migrate()
    yield database
    database.close()
