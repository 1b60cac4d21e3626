"""A way to look at bytes as a file of an image."""

import io

import pytest

from mooring.checks.scanning import Scanner
from mooring.image import Entry


@pytest.fixture
def look():
    """Detections in bytes, as if they were a file of an image."""

    def look(data, path="/home/model/model.bin", *, mode=0o644, scan=None):
        scan = scan or Scanner()
        return scan(Entry(path=path, size=len(data), mode=mode), io.BytesIO(data)) or ()

    return look


@pytest.fixture
def severities(look):
    """The severities of what is found, without repetition, in order."""

    def severities(data, path="/home/model/model.bin", **options):
        return list(dict.fromkeys(str(each.severity) for each in look(data, path, **options)))

    return severities
