"""Which of the commands that a shell starts is the one it is there for, and how it starts that one."""

from __future__ import annotations

import enum
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.checks.command.scope import Scope
    from mooring.checks.command.shell import Command


class Handing(enum.Enum):
    """How a shell starts the command that it ends in."""

    EXEC = "takes the place of the shell"
    FOREGROUND = "is waited for by the shell"
    BACKGROUND = "runs in the background of the shell"
    NOTHING = "there is none"
    UNSURE = "cannot be told"


@dataclass(frozen=True, kw_only=True)
class Started:
    """A command that a shell starts, its words expanded, in the folder and with the variables it finds there."""

    words: tuple[str, ...]
    scope: Scope
    command: Command
    source: str
    execs: bool = False

    @property
    def keeps_waiting(self) -> bool:
        """Whether it only keeps the shell alive: wait, tail -f, sleep infinity."""
        name, *rest = self.words
        return (
            name == "wait"
            or (name == "tail" and any(one in ("-f", "-F") for one in rest))
            or sleeps_for_ever(self.words)
        )


def sleeps_for_ever(words: tuple[str, ...]) -> bool:
    """Whether it is `sleep infinity`."""
    return words[0] == "sleep" and len(words) > 1 and words[1].startswith("inf")


def ending(started: list[Started], source: str, doubt: str) -> tuple[Handing, Started | None, str]:
    """How the last command is started, which it is, and why that cannot be told, "" if it can."""
    found = _likely(started)
    firm = [one for one in found if not one.command.conditional]
    if doubt or (found and found[-1].command.conditional and not _only_a_way_out(found[-1])):
        return Handing.UNSURE, None, doubt or f"what {source} starts depends on conditions"
    if not firm:
        return Handing.NOTHING, None, ""
    return _last(firm, source)


def _last(firm: list[Started], source: str) -> tuple[Handing, Started | None, str]:
    last = firm[-1]
    if last.execs:
        return Handing.EXEC, last, ""
    if not last.keeps_waiting and not last.command.background:
        return Handing.FOREGROUND, last, ""
    behind = [one for one in firm if one.command.background] or [one for one in firm if not one.keeps_waiting]
    if len(behind) > 1:
        return Handing.BACKGROUND, None, f"{source} starts several programs in the background"
    return (Handing.BACKGROUND, behind[0], "") if behind else (Handing.NOTHING, None, "")


def _likely(started: list[Started]) -> list[Started]:
    """Without the branches that only give a bare shell to who asks for one."""
    bare = [one for one in started if len(one.words) == 1 and posixpath.basename(one.words[0]) in ("sh", "bash")]
    rest = [one for one in started if one not in bare or not one.command.conditional]
    only = len(rest) == 1 and rest[0].execs and rest[0].command.context == ("if",) and len(rest) < len(started)
    return [replace(rest[0], command=replace(rest[0].command, context=()))] if only else rest


def _only_a_way_out(one: Started) -> bool:
    return one.command.context[-1:] == ("or",)
