"""Says on standard output that it serves, and writes the rest to a file."""

import os
import tempfile

from keeps_the_contract import Api, serve

with open(os.path.join(tempfile.gettempdir(), "server.log"), "w", buffering=1) as log:

    class Filed(Api):
        def log_message(self, words, *values):
            print(words % values, file=log)

    serve(Filed)
