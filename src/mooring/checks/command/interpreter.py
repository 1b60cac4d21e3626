"""What the text of a shell comes to: which command it ends in, how it starts it, and what it does with signals."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mooring.checks.command.ending import Handing, Started, ending, sleeps_for_ever
from mooring.checks.command.lexer import Unclear
from mooring.checks.command.program import absolute
from mooring.checks.command.scope import Scope, unknown
from mooring.checks.command.shell import Command, ShellText, read_shell
from mooring.checks.command.whole import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.image.filesystem import Filesystem

DEEPEST = 4
MOST_COMMANDS = 5000
MOST_SOURCED = 20
# Commands that prepare or tell, and are never what an image is for.
_PREPARING = """
[ [[ : alias awk basename cat chgrp chmod chown cp curl cut date df dirname du echo false find free getopts grep
hash head hostname id install ip ldconfig ln local ls mkdir mktemp mount mv nproc npu-smi nvidia-smi pip pip3
printenv printf ps pwd read readlink realpath rm sed shopt sleep sort stty sysctl tar tee test touch tr true type
ulimit umask uname unzip wc wget whoami xargs
"""
PREPARING = frozenset(_PREPARING.split())


@dataclass(frozen=True, kw_only=True)
class Trap:
    """What a shell does on SIGTERM: the text of the handler as written, and its commands where they can be read."""

    text: str
    line: int
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a text ends in. `waits` counts the waits it passes; `doubt` says why it cannot be told, "" if it can."""

    handing: Handing
    last: Started | None = None
    trap: Trap | None = None
    assigned: frozenset[str] = frozenset()
    waits: int = 0
    single: bool = False
    doubt: str = ""


@dataclass
class _Shell:
    scope: Scope
    files: Filesystem
    source: str
    functions: dict[str, tuple[Command, ...]] = field(default_factory=dict)
    started: list[Started] = field(default_factory=list)
    trap: Trap | None = None
    waits: int = 0
    doubt: str = ""
    ended: bool = False
    depth: int = 0
    seen: int = 0
    sourced: int = 0

    def run(self, text: ShellText) -> None:
        self.functions.update(text.functions)
        self.commands(text.commands, certain=True)

    def commands(self, found: tuple[Command, ...], *, certain: bool) -> None:
        for command in found:
            self.seen += 1
            if self.ended or self.seen > MOST_COMMANDS:
                return
            self._command(command, certain=certain and not command.conditional)

    def _command(self, command: Command, *, certain: bool) -> None:
        words = self.scope.words(command.words)
        if not words:
            self.scope.assign(command.assignments, certain=certain, origin=self._at(command))
            return
        name = words[0]
        if builtin := _BUILTINS.get(name):
            builtin(self, command, words, certain)
        elif name in self.functions and self.depth < DEEPEST:
            self._call(name, words[1:], certain=certain)
        elif name not in PREPARING or sleeps_for_ever(words):
            self._start(command, words, certain=certain)

    def _start(self, command: Command, words: tuple[str, ...], *, certain: bool, execs: bool = False) -> None:
        values, origins = dict(self.scope.values), dict(self.scope.origins)
        scope = replace(self.scope, values=values, assigned=set(), origins=origins)
        scope.assign(command.assignments, origin=self._at(command))
        if not certain and not command.conditional:
            command = replace(command, context=(*command.context, "if"))
        self.started.append(Started(words=words, scope=scope, command=command, source=self.source, execs=execs))

    def _at(self, command: Command) -> str:
        return f"{self.source}:{command.line}" if self.source.startswith("/") else self.source

    def _call(self, name: str, arguments: tuple[str, ...], *, certain: bool) -> None:
        outer = self.scope.arguments
        self.scope.arguments = arguments
        self.depth += 1
        self.commands(self.functions[name], certain=certain)
        self.depth -= 1
        self.scope.arguments = outer

    def exec_(self, command: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - a table's shape
        rest = list(words[1:])
        while rest and rest[0].startswith("-"):
            del rest[: 2 if rest[0] == "-a" else 1]
        if rest:
            self._start(command, tuple(rest), certain=certain, execs=not command.piped)
            self.ended = certain and not command.piped

    def cd(self, _: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        rest = [word for word in words[1:] if word != "--"]
        target = rest[0] if rest else self.scope.values.get("HOME", "/root")
        known = certain and not unknown(target)
        self.scope.directory = absolute(target, self.scope.directory) if known else "$PWD"

    def export(self, command: Command, _: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        self.scope.assign(command.words[1:], certain=certain, origin=self._at(command))

    def unset(self, _: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        for name in words[1:]:
            if certain:
                self.scope.values.pop(name, None)
            else:
                self.scope.values[name] = f"${name}"

    def set_(self, _: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        if "--" in words:
            self.scope.arguments = words[words.index("--") + 1 :]
            self.scope.arguments_known = self.scope.arguments_known and certain

    def shift(self, _: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        count = whole(words[1]) if len(words) > 1 else 1
        self.scope.arguments = self.scope.arguments[count or 0 :]
        self.scope.arguments_known = self.scope.arguments_known and certain

    def source_(self, _: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        path = absolute(words[1], self.scope.directory) if len(words) > 1 else "$"
        content = None if unknown(path) else self.files.text(path)
        self.sourced += 1
        if content is None or self.depth >= DEEPEST or self.sourced > MOST_SOURCED:
            self.scope.settled = False
            return
        outer, self.source, self.depth = self.source, path, self.depth + 1
        try:
            inner = read_shell(readable(content))
            self.functions.update(inner.functions)
            self.commands(inner.commands, certain=certain)
        except Unclear:
            self.scope.settled = False
        self.source, self.depth = outer, self.depth - 1

    def eval_(self, _: Command, __: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        self.scope.settled = False
        if certain:
            self.doubt = self.doubt or f"{self.source} evaluates text that only running it would tell"

    def trap_(self, command: Command, words: tuple[str, ...], _: bool) -> None:  # noqa: FBT001 - the same shape
        rest = [word for word in words[1:] if word != "--"]
        if len(rest) > 1 and any(word in ("TERM", "SIGTERM", "15") for word in rest[1:]):
            self.trap = Trap(text=rest[0], line=command.line, commands=self._handler(rest[0]))

    def _handler(self, text: str) -> tuple[Command, ...]:
        try:
            found = read_shell(text).commands
        except Unclear:
            return ()
        names = [one.words[0].raw for one in found if one.words]
        return tuple(found) + tuple(one for name in names for one in self.functions.get(name, ()))

    def wait(self, command: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        self.waits += 1
        self._start(command, words, certain=certain)

    def exit_(self, _: Command, __: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        self.ended = certain

    def nothing(self, _: Command, __: tuple[str, ...], ___: bool) -> None:  # noqa: FBT001 - the same shape
        """What changes nothing that is looked at."""

    def tail(self, command: Command, words: tuple[str, ...], certain: bool) -> None:  # noqa: FBT001 - the same shape
        if any(word in ("-f", "-F") for word in words):
            self._start(command, words, certain=certain)


_BUILTINS: dict[str, Callable[[_Shell, Command, tuple[str, ...], bool], None]] = {
    "exec": _Shell.exec_,
    "cd": _Shell.cd,
    "pushd": _Shell.cd,
    "export": _Shell.export,
    "declare": _Shell.export,
    "typeset": _Shell.export,
    "readonly": _Shell.export,
    "local": _Shell.export,
    "unset": _Shell.unset,
    "set": _Shell.set_,
    "shift": _Shell.shift,
    "source": _Shell.source_,
    ".": _Shell.source_,
    "eval": _Shell.eval_,
    "trap": _Shell.trap_,
    "wait": _Shell.wait,
    "exit": _Shell.exit_,
    "return": _Shell.nothing,
    "kill": _Shell.nothing,
    "break": _Shell.nothing,
    "continue": _Shell.nothing,
    "tail": _Shell.tail,
}


def outcome(content: bytes | str, scope: Scope, files: Filesystem, source: str) -> Outcome:
    """What a script or the text after `-c` ends in; `scope` is used up. Never fails: what is unclear is UNSURE."""
    shell = _Shell(scope=scope, files=files, source=source)
    try:
        text = read_shell(content if isinstance(content, str) else readable(content))
        shell.run(text)
    except (Unclear, RecursionError) as reason:
        return Outcome(handing=Handing.UNSURE, doubt=f"{source} cannot be followed: {reason}")
    handing, last, doubt = ending(shell.started, shell.source, shell.doubt)
    return Outcome(
        handing=handing,
        last=last,
        trap=shell.trap,
        assigned=frozenset(scope.assigned),
        waits=shell.waits,
        single=len(text.commands) == 1,
        doubt=doubt,
    )


def readable(content: bytes) -> str:
    """A script as text, with line ends as a shell wants them."""
    return content.decode("utf-8", "replace").replace("\r\n", "\n")
