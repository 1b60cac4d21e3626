"""A first look at a batch service's input and output while its caller waits: what is wrong is better told at once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from mooring.control.batch_wishes import MISSING
from mooring.errors import Conflict, Denied, Invalid, MooringError, NotFound, Unavailable
from mooring.storage import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import Any

    from mooring.storage import Places

# Storage that is slower than that is waited for by the job itself.
SECONDS = 10.0
NOT_EMPTY = "the output folder {output} is not empty"
EMPTY_IT = "empty it, or choose another dest_path"


class StorageCheck:
    """Looks whether there is input, and an empty output; storage that does not answer is no reason to refuse."""

    def __init__(self, places: Callable[[], Places]) -> None:
        self._places = places

    def __call__(self, told: Mapping[str, Any]) -> None:
        """Look at `src_path` and `dest_path`; blocks. What is no address is left to the rules of the wish.

        Raises:
            NotFound: `storage-missing`. Denied: `storage-denied`. Conflict: `output-not-empty`.
            Invalid, Refused: `storage-check`: they cannot be reached from here, whoever asks.
        """
        try:
            source, output = parse(str(told.get("src_path") or "")), parse(str(told.get("dest_path") or ""))
        except Invalid:
            return
        places = self._places()

        async def look() -> None:
            if source.name.endswith(".manifest"):
                async with places.open(source):
                    pass
            elif await places.place(source).is_empty():
                raise NotFound(f"there is no input in {source}", hint="hidden files do not count", case=MISSING)
            if not await places.place(output).is_empty():
                raise Conflict(NOT_EMPTY.format(output=output), hint=EMPTY_IT, case="output-not-empty")

        try:
            _apart(look())
        except (Unavailable, TimeoutError):
            return
        except MooringError as error:
            error.case = error.case or _case(error)
            raise


def _case(error: MooringError) -> str:
    if isinstance(error, NotFound):
        return MISSING
    return "storage-denied" if isinstance(error, Denied) else "storage-check"


def _apart(doing: Coroutine[Any, Any, None]) -> None:
    """Do it in a loop of its own, whether there is one in this thread or not."""
    raised: list[BaseException] = []

    async def limited() -> None:
        async with asyncio.timeout(SECONDS):
            await doing

    def run() -> None:
        try:
            asyncio.run(limited())
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, name="storage-check")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
