"""The stages of a trial in their order: each gone through once, and those before it first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Course:
    """Stages by name, in the order of the mapping, each with the words for what it does and the doing of it.

    A stage that raises NotAsked, NotKnown or a MooringError is over all the same; who asks for it is told.
    """

    def __init__(self, stages: Mapping[str, tuple[str, Callable[[], Any]]], *, doing: Callable[[str], None]) -> None:
        self._stages = stages
        self._doing = doing
        self._results: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}

    def __getitem__(self, wanted: str) -> Any:
        """What came of a stage, after all before it; what it raised is raised each time."""
        for name in self._stages:
            self._go_through(name)
            if name == wanted:
                break
        if wanted in self._errors:
            raise self._errors[wanted]
        return self._results[wanted]

    def over(self, name: str) -> bool:
        """Whether it was gone through."""
        return name in self._results or name in self._errors

    def _go_through(self, name: str) -> None:
        if self.over(name):
            return
        words, stage = self._stages[name]
        if words:
            self._doing(words)
        try:
            self._results[name] = stage()
        except (NotAsked, NotKnown, MooringError) as error:
            self._errors[name] = error
