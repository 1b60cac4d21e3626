"""Feed the readers of archives with what atheris thinks up: `python fuzz/read_archive.py [CORPUS]`, Ctrl-C to end.

As read_layer.py, but for what is around the layers: manifests, configurations, links, and archives that are packed.
"""

import sys
import tempfile
from pathlib import Path

import atheris
from read_layer import signed

with atheris.instrument_imports(include=["mooring.image"]):
    from mooring.errors import MooringError
    from mooring.image import archive_image

FILE = Path(tempfile.mkdtemp()) / "image.tar"


def try_one(data):
    """The input as it is, and with checksums put right."""
    for archive in (data, signed(data)):
        FILE.write_bytes(archive)
        try:
            image = archive_image(FILE)
            files = image.read(lambda _, stream: stream.read(7))
        except MooringError as error:
            assert error.message.isprintable(), repr(error.message)
            continue
        assert all(entry.path.startswith("/") for entry in files.entries())


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
