"""Logs to a file, and says nothing on its outputs."""

import contextlib
import os
import tempfile

from keeps_the_contract import serve

with (
    open(os.path.join(tempfile.gettempdir(), "server.log"), "w", buffering=1) as log,
    contextlib.redirect_stdout(log),
):
    serve()
