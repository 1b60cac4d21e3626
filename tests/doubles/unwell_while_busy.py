"""Takes away the file that its health command looks for as long as it predicts."""

import threading
import time
from pathlib import Path

from keeps_the_contract import Api, serve

WELL = Path("/tmp/well")  # noqa: S108 - the one place that any user may write to
ONE_AT_A_TIME = threading.Lock()


class Unwell(Api):
    def predict(self, text):
        with ONE_AT_A_TIME:
            WELL.unlink()
            time.sleep(0.3)
            WELL.touch()
            return super().predict(text)


WELL.touch()
serve(Unwell)
