"""What a container of an image starts: every hop from ENTRYPOINT and CMD to the program that serves."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from mooring.checks.command.ending import Handing
from mooring.checks.command.identity import Identity, identity
from mooring.checks.command.interpreter import Outcome, outcome
from mooring.checks.command.place import Place, place_of
from mooring.checks.command.program import Program, found_file, found_program, interpreter
from mooring.checks.command.scope import Scope, unknown
from mooring.checks.command.setting import Variable
from mooring.checks.command.wrappers import WRAPPERS, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.image.filesystem import Filesystem
    from mooring.image.image import ImageConfig

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"})
MOST_HOPS = 12
_VALUED_OPTIONS = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One program on the way: its words, what its name leads to, and who starts it, such as "CMD" or "/home/run.sh:4".

    `file` is the script that a shell is told to read, None where it is told none.
    """

    words: tuple[str, ...]
    program: Program
    source: str
    directory: str
    file: Program | None = None

    @property
    def name(self) -> str:
        """The program without its folder."""
        return posixpath.basename(self.words[0])


@dataclass(frozen=True, kw_only=True)
class ShellStep:
    """A shell on the way. `path` is its script, "" where the text is given after `-c`; `hop` counts from 0.

    `direct` tells that the kernel reads the script's first line, because it is started by its own name. `gives_way`
    tells whether the shell makes room for the last command by itself; None is not known.
    """

    hop: int
    path: str
    content: bytes
    outcome: Outcome
    direct: bool = False
    gives_way: bool | None = False

    @property
    def named(self) -> str:
        """The script's path, or the text in short."""
        return self.path or "the shell of the start command"


@dataclass(frozen=True, kw_only=True)
class StartCommand:
    """What an image starts. `words` are ENTRYPOINT and CMD in one; `program` the words of what finally runs.

    `program` is empty where it cannot be known, and `doubt` then says why. `environment` and `directory` are what the
    program finds; a value that is not known holds a `$`. `origins` are the places of what a shell or env set there.
    `settled` is False where something was run before that may have changed any variable.
    """

    words: tuple[str, ...]
    shell_form: bool = False
    hops: tuple[Hop, ...] = ()
    shells: tuple[ShellStep, ...] = ()
    program: tuple[str, ...] = ()
    source: str = ""
    directory: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    origins: Mapping[str, str] = field(default_factory=dict, hash=False)
    settled: bool = True
    doubt: str = ""
    who: Identity = field(default_factory=lambda: Identity(uid=0, gid=0))
    entrypoint: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """Where the program is started: a line of a script, or the instruction."""
        return place_of(self.source, self.instruction())

    def variable(self, name: str) -> Variable | None:
        """The variable as the program finds it, None where it is not set."""
        place = place_of(self.origins[name], self.instruction()) if name in self.origins else Place(f"ENV {name}")
        return Variable(name, self.environment[name], place) if name in self.environment else None

    def instruction(self, word: str = "") -> str:
        """The instruction of the Dockerfile that says that word, or, without one, whose end the start command is."""
        given = self.entrypoint
        whole = len(given) == len(self.words) or _is_text(given)
        return "ENTRYPOINT" if given and (whole or word in given) else "CMD"

    @property
    def shown(self) -> str:
        """ENTRYPOINT and CMD as people read them."""
        return " ".join(self.words)

    @property
    def scripts(self) -> tuple[ShellStep, ...]:
        """The script files that are read on the way."""
        return tuple(step for step in self.shells if step.path)


# A dozen rules ask for the same; what was read goes with the files it was read from.
_KNOWN: WeakKeyDictionary[Filesystem, dict[ImageConfig, StartCommand]] = WeakKeyDictionary()


def start_command(config: ImageConfig, files: Filesystem) -> StartCommand:
    """What the image starts, as far as it can be told without running it; never fails."""
    known = _KNOWN.setdefault(files, {})
    if config not in known:
        known[config] = _followed(config, files)
    return known[config]


def _followed(config: ImageConfig, files: Filesystem) -> StartCommand:
    words = config.command
    scope = Scope(values=dict(config.env), directory=config.working_dir or "/")
    who = identity(config, files)
    walk = _Walk(files=files, who=who)
    if any(words[:1]):
        walk.go(words, scope)
    return replace(walk.reached, words=words, shell_form=_is_text(words), who=who, entrypoint=config.entrypoint)


def _is_text(words: tuple[str, ...]) -> bool:
    """Whether the words are what an instruction without brackets becomes."""
    return len(words) == 3 and posixpath.basename(words[0]) in SHELLS and words[1] == "-c"  # noqa: PLR2004 - sh -c text


@dataclass
class _Walk:
    files: Filesystem
    who: Identity
    hops: list[Hop] = field(default_factory=list)
    shells: list[ShellStep] = field(default_factory=list)
    reached: StartCommand = field(default_factory=lambda: StartCommand(words=()))
    source: str = "the start command"

    def go(self, words: tuple[str, ...], scope: Scope) -> None:
        """Follow until there is nothing to follow, a fault, or a doubt."""
        doubt = ""
        for _ in range(MOST_HOPS):
            if unknown(words[0]):
                doubt = f"{self.source} starts {words[0]!r}, which only running it would tell"
                break
            hop = self._hop(words, scope)
            self.hops.append(hop)
            if hop.program.fault or (hop.file and hop.file.fault):
                doubt = "what it starts is not in the image"
                break
            following = self._following(hop, scope)
            if following is None:
                self._end(scope, program=words)
                return
            words, scope, doubt = following
            if doubt or not words:
                break
        self._end(scope, doubt=doubt or "the start command leads through too many programs")

    def _end(self, scope: Scope, *, program: tuple[str, ...] = (), doubt: str = "") -> None:
        self.reached = StartCommand(
            words=(),
            hops=tuple(self.hops),
            shells=tuple(self.shells),
            program=program,
            source=self.source,
            directory=scope.directory,
            environment=dict(scope.values),
            origins=dict(scope.origins),
            settled=scope.settled,
            doubt=doubt,
        )

    def _hop(self, words: tuple[str, ...], scope: Scope) -> Hop:
        program = found_program(words[0], scope, self.files, self.who)
        if words[0] in ("command", "builtin"):
            program = Program(path=words[0])
        script = _script_of(words) if _is_shell(words) else None
        file = found_file(script, scope, self.files) if script and not unknown(script) else None
        return Hop(words=words, program=program, source=self.source, directory=scope.directory, file=file)

    def _following(self, hop: Hop, scope: Scope) -> tuple[tuple[str, ...], Scope, str] | None:
        """What the program starts, in what scope, or why that is not known; None for a program that serves itself."""
        if hop.name in WRAPPERS:
            return self._unwrapped(hop, scope)
        if _is_shell(hop.words):
            return self._through_shell(hop, scope)
        content = self.files.text(hop.program.path) if "/" in hop.program.path else None
        if content is not None and interpreter(content) in SHELLS:
            return self._script(hop.program.path, content, hop.words[1:], scope, direct=True)
        return None

    def _unwrapped(self, hop: Hop, scope: Scope) -> tuple[tuple[str, ...], Scope, str]:
        inside = wrapped(hop.words)
        if inside is None:
            return (), scope, f"{' '.join(hop.words[:3])} has options that are not known here"
        scope.assign(inside.assignments, origin=self.source)
        for name in inside.unset:
            scope.values.pop(name, None)
        return inside.words, scope, "" if inside.words else f"{hop.name} is told to start nothing"

    def _through_shell(self, hop: Hop, scope: Scope) -> tuple[tuple[str, ...], Scope, str]:
        options, rest = _options(hop.words)
        if "l" in options or "--login" in hop.words or scope.values.get("BASH_ENV"):
            scope.settled = False
        if "c" in options and rest:
            scope.name, scope.arguments = (rest[1:2] or ("sh",))[0], tuple(rest[2:])
            return self._text(hop, rest[0], scope)
        if not rest:
            return (), scope, f"{' '.join(hop.words)} reads commands from a terminal, and there is none"
        if hop.file is None:
            return (), scope, f"which file {rest[0]!r} is, only running it would tell"
        content = self.files.text(hop.file.path)
        if content is None:
            return (), scope, f"{hop.file.path} is too large or no text, and was not read"
        return self._script(hop.file.path, content, tuple(rest[1:]), scope)

    def _text(self, hop: Hop, text: str, scope: Scope) -> tuple[tuple[str, ...], Scope, str]:
        found = outcome(text, scope, self.files, self.source)
        kind = posixpath.basename(hop.program.entry.path) if hop.program.entry else hop.name
        step = ShellStep(
            hop=len(self.hops) - 1, path="", content=text.encode(), outcome=found, gives_way=_gives_way(kind, found)
        )
        return self._past(step)

    def _script(
        self, path: str, content: bytes, arguments: tuple[str, ...], scope: Scope, *, direct: bool = False
    ) -> tuple[tuple[str, ...], Scope, str]:
        scope.name, scope.arguments, scope.arguments_known = path, arguments, not any(map(unknown, arguments))
        found = outcome(content, scope, self.files, path)
        return self._past(
            ShellStep(hop=len(self.hops) - 1, path=path, content=content, outcome=found, direct=direct), scope
        )

    def _past(self, step: ShellStep, scope: Scope | None = None) -> tuple[tuple[str, ...], Scope, str]:
        self.shells.append(step)
        last = step.outcome.last
        if last is None:
            empty = scope or Scope(values={})
            return (), empty, step.outcome.doubt or f"{step.named} starts no program"
        self.source = f"{last.source}:{last.command.line}" if last.source.startswith("/") else last.source
        return last.words, last.scope, ""


def _is_shell(words: tuple[str, ...]) -> bool:
    return posixpath.basename(words[0]) in SHELLS


def _options(words: tuple[str, ...]) -> tuple[str, list[str]]:
    """The letters of a shell's options, and the words after them."""
    rest = list(words[2:] if posixpath.basename(words[0]) == "busybox" else words[1:])
    letters = ""
    while rest and rest[0][:1] in ("-", "+") and rest[0] not in ("--", "-"):
        if rest[0] in _VALUED_OPTIONS or (rest[0].startswith("-") and rest[0].endswith("o") and rest[0][1:2] != "-"):
            letters += rest[0].strip("-+o")
            del rest[:2]
        else:
            letters += "" if rest[0].startswith("--") else rest[0][1:]
            del rest[:1]
    return letters, rest[1:] if rest[:1] == ["--"] else rest


def _script_of(words: tuple[str, ...]) -> str:
    options, rest = _options(words)
    return rest[0] if rest and "c" not in options else ""


def _gives_way(shell: str, found: Outcome) -> bool | None:
    """Whether a shell lets the last command after `-c` take its place unasked; measured with each.

    busybox always does. Debian's dash never does. bash does for a single plain command; for more it depends on its age.
    """
    if found.last is None or found.last.command.piped or found.trap is not None:
        return False
    if shell == "busybox":
        return True
    if shell == "bash":
        return True if found.single and not found.last.command.redirected else None
    return False if shell == "dash" else None


__all__ = ["Handing", "Hop", "ShellStep", "StartCommand", "start_command"]
