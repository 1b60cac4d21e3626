"""Work done beside other work: a thread that dies with the program and brings its result or its error home."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Aside(Generic[T]):
    """One call on a thread of its own, begun at once."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is wanted
            self._error = error

    def result(self) -> T:
        """Wait for it; what it raised is raised here."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def wait(self, seconds: float) -> bool:
        """Wait at most that long; whether it has ended."""
        self._thread.join(max(seconds, 0))
        return not self._thread.is_alive()


def together(works: Iterable[Callable[[], T]]) -> list[T]:
    """All at once, and what each brought, in their order."""
    return [aside.result() for aside in [Aside(work) for work in works]]


def until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Wait until it is so, at most that long; whether it is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return condition()
        time.sleep(every)
    return True
