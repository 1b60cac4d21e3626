"""Read images, each in a process of its own, and say as a line of JSON how that went and how much memory it took.

`python read_apart.py SECONDS PATH...`: a path is an archive, or the folder of a layout. Imports are done once.
"""

import json
import os
import signal
import sys

from mooring.errors import MooringError
from mooring.image import archive_image, layout_image


def peak_mebibytes():
    """The most that this process has had; getrusage would count what the parent had when it forked."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))


def read(path):
    """The image there, looked at as the rules do."""
    image = layout_image(path) if os.path.isdir(path) else archive_image(path)
    files = image.read(lambda _, stream: stream.read(1 << 16) and None)
    paths = [entry.path for _, entry in zip(range(50), files.entries(), strict=False)]
    count = sum(1 for _ in files.entries())
    found = [files.resolve(path) for path in paths]
    return {
        "outcome": "read",
        "message": "",
        "oddities": [f"{oddity.path}: {oddity.what}" for oddity in files.oddities],
        "paths": paths,
        "kinds": {entry.path: entry.kind for _, entry in zip(range(50), files.entries(), strict=False)},
        "resolved": {path: entry and entry.path for path, entry in zip(paths, found, strict=True)},
        "texts": {path: files.text(path) is not None for path in paths},
        "count": count,
        "size": files.size,
        "hidden": files.hidden_bytes,
    }


def told(path):
    """What came of it, whatever it was."""
    try:
        return read(path)
    except MooringError as error:
        return {"outcome": type(error).__name__, "message": f"{error.message} ({error.hint})"}
    except BaseException as error:  # noqa: BLE001 - the test tells what it was
        return {"outcome": "bug", "message": f"{type(error).__name__}: {error}"[:500]}


for path in sys.argv[2:]:
    sys.stdout.flush()
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        if status:
            print(json.dumps({"path": path, "outcome": "died", "message": f"status {status}", "peak": 0}))
        continue
    signal.alarm(int(sys.argv[1]))
    result = told(path)
    print(json.dumps({"path": path, "peak": peak_mebibytes(), **result}), flush=True)
    os._exit(0)
