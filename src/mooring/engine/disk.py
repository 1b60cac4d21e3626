"""How much a container writes to the machine's disk, and its end when that is too much.

Few engines can limit it; all can be asked. What an image keeps on a volume is not counted.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from mooring.engine.translation import translated
from mooring.errors import MooringError, NotFound

if TYPE_CHECKING:
    from mooring.engine.docker import DockerEngine

EVERY_SECONDS = 3.0
# Counting takes the engine longer the more files there are; it may count for a twentieth of the time.
REST = 20
END_SECONDS = 5.0
NOT_FOUND = 404


class DiskWatch:
    """Looks every few seconds until `close`; a container that wrote more than `limit_bytes` is killed."""

    def __init__(self, engine: DockerEngine, container: str, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.exceeded = False
        self._engine = engine
        self._container = container
        self._root, self._free_before = self._where()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def told(self) -> str:
        """That it was ended, in a few words; "" when it was not."""
        return f"it wrote more than {self.limit_bytes / 1e9:g} GB" if self.exceeded else ""

    def close(self) -> None:
        """Look no more; again is no harm."""
        self._over.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._over.wait(pause):
            began = time.monotonic()
            try:
                seen = self._seen()
                if not (seen.get("State") or {}).get("Running"):
                    return
                if int(seen.get("SizeRw") or 0) > self.limit_bytes and self._took_space():
                    self.exceeded = True
                    self._engine.stop(self._container, signals={signal.SIGKILL.name: END_SECONDS})
                    return
            except NotFound:
                return
            except MooringError:  # an engine under load may answer the next time
                pass
            pause = max(EVERY_SECONDS, REST * (time.monotonic() - began))

    def _seen(self) -> dict[str, Any]:
        api = self._engine.api
        url = f"{api.base_url}/v{api.api_version}/containers/{self._container}/json"
        with translated(f"container {self._container[:12]}"):
            answer = api.get(url, params={"size": "true"}, timeout=api.timeout)
            if answer.status_code == NOT_FOUND:
                raise NotFound(self._container)
            answer.raise_for_status()
            return dict(answer.json())

    def _where(self) -> tuple[str, int]:
        """The folder of the engine and the bytes free there; "" when that is not on this machine."""
        if not self._engine.is_here:
            return "", 0
        try:
            with translated():
                root = str(self._engine.api.info().get("DockerRootDir") or "")
            return root, _free(root)
        except (MooringError, OSError):
            return "", 0

    def _took_space(self) -> bool:
        """Whether the disk became fuller, where that is to be seen: a file with holes is larger than what it takes."""
        try:
            return not self._root or self._free_before - _free(self._root) > self.limit_bytes // 2
        except OSError:
            return True


def _free(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
