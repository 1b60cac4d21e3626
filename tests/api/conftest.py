"""A platform to ask: one for all tests of a file, and one on a database of each kind for those that look at rows."""

import pytest
from api.place import Place

from mooring.control.settings import Quotas, Settings, Timings

TIMINGS = Timings(resync_seconds=0.1, probe_seconds=0.05, database_seconds=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    quotas = Quotas(services=1000)
    made = Place(Settings(data=tmp_path_factory.mktemp("data"), engine="memory", timings=TIMINGS, quotas=quotas))
    yield made
    made.close()


@pytest.fixture
def both(database_url, tmp_path):
    """A platform of its own, once on SQLite and once on PostgreSQL."""
    made = Place(Settings(data=tmp_path / "data", engine="memory", timings=TIMINGS, database=database_url))
    yield made
    made.close()
