"""What a person at a terminal sees while a check goes on; nothing at all where nobody watches."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as RateColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import TaskID

    from mooring import image


class Watching:
    """A line on standard error, if that is a terminal: what is done now, and for bytes how fast and how long still.

    It may be told from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            console = Console(stderr=True)
            text = TextColumn("{task.description}", markup=False)
            columns = (SpinnerColumn(), text, BarColumn(), DownloadColumn(), RateColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console, transient=True)
            self._words = Progress(SpinnerColumn(), text, console=console, transient=True)
            self._shown: Progress | None = None
            self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._hide()

    def doing(self, what: str) -> None:
        """Show what is done now; an empty text clears the line."""
        if self._bar is None:
            return
        with self._lock:
            self._hide()
            if what:
                self._show(self._words, what)

    def read(self, progress: image.Progress) -> None:
        """Show how far the pass over the layers is."""
        if self._bar is None:
            return
        with self._lock:
            if self._shown is not self._bar:
                self._hide()
                self._show(self._bar, "reading layers")
            if self._task is not None:
                self._bar.update(self._task, completed=progress.done, total=progress.total or None)

    def _show(self, progress: Progress, what: str) -> None:
        self._task = progress.add_task(what, total=None)
        self._shown = progress
        progress.start()

    def _hide(self) -> None:
        if self._bar is not None and self._shown is not None and self._task is not None:
            self._shown.stop()
            self._shown.remove_task(self._task)
            self._shown, self._task = None, None
