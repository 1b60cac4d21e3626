"""A Dockerfile, read as far as it says how containers of its last stage start; nothing is built, nothing is refused.

What only a build would tell (the base image's own command, what RUN does to files) stays unknown.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mooring.checks.dockerfile.lines import Instruction, instructions
from mooring.checks.dockerfile.words import expanded, pairs, words
from mooring.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHELL = ("/bin/sh", "-c")
_ARCHIVE = re.compile(r"[*?\[]|\.(?:tar|tgz|tbz2?|txz|tzst|(?:tar\.)?(?:gz|bz2|xz|zst|lzma))$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What a COPY or ADD brings into the image; a target that ends with / is a folder.

    `opaque` tells that the sources are not files of the folder as they lie there: they come from a stage, an archive,
    an address or the Dockerfile itself. `at` counts the stage's instructions before it, `line` is in the file.
    """

    sources: tuple[str, ...]
    target: str
    mode: str
    line: int
    owner: str = ""
    opaque: bool = False
    at: int = 0


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """The last stage of a Dockerfile: how its containers start, and which lines say so.

    `base` is the image that it begins from, "" where no FROM names one. `instructions` are those of the last stage and
    of the stages it begins from, in order. `lines` gives the line of the instruction that decided the command, the
    user and so on, by keyword. `shell_form` tells of CMD and ENTRYPOINT whether they are written without brackets.
    """

    base: str
    config: ImageConfig
    instructions: tuple[Instruction, ...] = ()
    copies: tuple[Copied, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    shell_form: frozenset[str] = frozenset()

    def last(self, keyword: str) -> Instruction | None:
        """The last instruction of that keyword; None if there is none."""
        return next((each for each in reversed(self.instructions) if each.keyword == keyword), None)

    def source_of(self, path: str) -> str:
        """The file of the folder that becomes `path` in the image, as COPY names it; "" if none is copied there."""
        for copied in reversed(self.copies):
            for source in copied.sources:
                name = posixpath.basename(source.rstrip("/"))
                into = posixpath.join(copied.target, name) if copied.target.endswith("/") else copied.target
                if into == path:
                    return "" if copied.opaque else posixpath.normpath(source.lstrip("/"))
                if copied.opaque:
                    continue
                inside = posixpath.relpath(path, copied.target.rstrip("/") or "/")
                if len(copied.sources) == 1 and not inside.startswith("..") and source.rstrip("/") in (".", ""):
                    return inside
        return ""


def read_dockerfile(
    text: str, *, base: ImageConfig | None = None, arguments: Mapping[str, str] | None = None
) -> Dockerfile:
    """What the text of a Dockerfile says of its last stage.

    `base` is what an image that a stage begins from says itself; `arguments` are those of --build-arg.
    """
    stages = _Stages(base or ImageConfig(), arguments or {})
    for instruction in instructions(text):
        stages.take(instruction)
    return stages.finished()


@dataclass
class _Stage:
    base: str = ""
    config: ImageConfig = field(default_factory=ImageConfig)
    arguments: dict[str, str] = field(default_factory=dict)
    instructions: list[Instruction] = field(default_factory=list)
    copies: list[Copied] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    shell_form: set[str] = field(default_factory=set)
    shell: tuple[str, ...] = SHELL
    # Where the CMD was set: a later ENTRYPOINT clears one that was taken over.
    own_command: bool = False
    # What ONBUILD keeps for the stages that begin from this one.
    triggers: list[Instruction] = field(default_factory=list)


class _Stages:
    """The stages so far; each instruction changes the last one."""

    def __init__(self, base: ImageConfig, given: Mapping[str, str]) -> None:
        self.base = base
        self.given = given
        self.named: dict[str, _Stage] = {}
        self.arguments: dict[str, str] = {}
        self.stage = _Stage(config=base)
        self.count = 0

    def take(self, instruction: Instruction) -> None:
        known: dict[str, Callable[[Instruction], None]] = {
            "FROM": self.begin,
            "ARG": self.argument,
            "ENV": self.environment,
            "LABEL": self.label,
            "CMD": self.command,
            "ENTRYPOINT": self.command,
            "SHELL": self.shell,
            "EXPOSE": self.expose,
            "USER": self.user,
            "WORKDIR": self.folder,
            "STOPSIGNAL": self.stop_signal,
            "VOLUME": self.volume,
            "COPY": self.copy,
            "ADD": self.copy,
            "ONBUILD": self.on_build,
        }
        if instruction.keyword in known:
            known[instruction.keyword](instruction)
        stage = self.stage
        if instruction.keyword not in ("FROM", "ARG"):
            step = f"{instruction.keyword} {instruction.rest}"
            stage.config = replace(stage.config, history=(*stage.config.history, step))
            stage.lines[instruction.keyword] = instruction.line
        stage.instructions.append(instruction)

    def finished(self) -> Dockerfile:
        stage = self.stage
        return Dockerfile(
            base=stage.base,
            config=stage.config,
            instructions=tuple(stage.instructions),
            copies=tuple(stage.copies),
            lines=dict(stage.lines),
            shell_form=frozenset(stage.shell_form),
        )

    def begin(self, instruction: Instruction) -> None:
        parts = [expanded(word, self.arguments) for word in words(instruction.rest)]
        origin = parts[0] if parts else ""
        taken_from = self.named.get(origin.lower())
        self.stage = _taken_over(taken_from, origin, self.base)
        platform = next((flag.partition("=")[2] for flag in instruction.flags if flag.startswith("--platform=")), "")
        system, _, rest = platform.partition("/")
        if rest and "$" not in platform:
            architecture, _, variant = rest.partition("/")
            self.stage.config = replace(self.stage.config, os=system, architecture=architecture, variant=variant)
        self.named[str(self.count)] = self.stage
        self.count += 1
        if len(parts) > 2 and parts[1].upper() == "AS":  # noqa: PLR2004 - FROM image AS name
            self.named[parts[2].lower()] = self.stage
        for trigger in taken_from.triggers if taken_from else ():
            self.take(trigger)

    def argument(self, instruction: Instruction) -> None:
        for name, value in pairs(instruction.rest, lone=True):
            known = self.arguments if not self.count else self.stage.arguments
            default = expanded(value, self._values()) if value is not None else self.arguments.get(name)
            default = self.given.get(name, default)
            if default is not None:
                known[name] = default

    def environment(self, instruction: Instruction) -> None:
        # Every value is expanded with what was known before the instruction.
        known = self._values()
        new = {name: expanded(value or "", known) for name, value in pairs(instruction.rest)}
        self._change(env={**self.stage.config.env, **new})

    def label(self, instruction: Instruction) -> None:
        new = {
            expanded(name, self._values()): expanded(value or "", self._values())
            for name, value in pairs(instruction.rest)
        }
        self._change(labels={**self.stage.config.labels, **new})

    def command(self, instruction: Instruction) -> None:
        stage, keyword = self.stage, instruction.keyword
        given = instruction.exec_form
        stage.shell_form.discard(keyword)
        if given is None:
            stage.shell_form.add(keyword)
            given = (*stage.shell, instruction.rest) if instruction.rest else ()
        if keyword == "CMD":
            stage.own_command = True
            self._change(cmd=given)
            return
        self._change(entrypoint=given)
        if not stage.own_command:
            self._change(cmd=())

    def shell(self, instruction: Instruction) -> None:
        self.stage.shell = instruction.exec_form or self.stage.shell

    def expose(self, instruction: Instruction) -> None:
        ports = [port for word in words(instruction.rest) for port in self._text(word).split()]
        new = [port.lower() if "/" in port else f"{port}/tcp" for port in ports]
        self._change(exposed_ports=tuple(dict.fromkeys((*self.stage.config.exposed_ports, *new))))

    def user(self, instruction: Instruction) -> None:
        self._change(user=self._text(instruction.rest))

    def folder(self, instruction: Instruction) -> None:
        self._change(working_dir=self._absolute(self._text(instruction.rest)).rstrip("/") or "/")

    def stop_signal(self, instruction: Instruction) -> None:
        self._change(stop_signal=self._text(instruction.rest))

    def volume(self, instruction: Instruction) -> None:
        new = instruction.exec_form or tuple(self._text(word) for word in words(instruction.rest))
        self._change(volumes=tuple(dict.fromkeys((*self.stage.config.volumes, *new))))

    def on_build(self, instruction: Instruction) -> None:
        for trigger in instructions(instruction.rest):
            self.stage.triggers.append(replace(trigger, line=instruction.line, last_line=instruction.last_line))

    def copy(self, instruction: Instruction) -> None:
        given = instruction.exec_form or tuple(self._text(word) for word in words(instruction.rest))
        if len(given) > 1:
            flags = dict(flag.lstrip("-").partition("=")[::2] for flag in instruction.flags)
            *sources, target = given
            copied = Copied(
                sources=tuple(sources),
                target=self._absolute(target),
                mode=flags.get("chmod", ""),
                line=instruction.line,
                owner=flags.get("chown", ""),
                opaque=_is_opaque(instruction, tuple(sources), flags),
                at=len(self.stage.instructions),
            )
            self.stage.copies.append(copied)

    def _absolute(self, path: str) -> str:
        joined = posixpath.join(self.stage.config.working_dir or "/", path)
        folder = joined.endswith(("/", "/."))
        return posixpath.normpath(joined).rstrip("/") + ("/" if folder else "")

    def _text(self, text: str) -> str:
        return expanded(text, self._values())

    def _values(self) -> dict[str, str]:
        """Variables win over arguments, as in a build."""
        return {**self.stage.arguments, **self.stage.config.env}

    def _change(self, **members: object) -> None:
        self.stage.config = replace(self.stage.config, **members)  # type: ignore[arg-type] # the members of ImageConfig


def _is_opaque(instruction: Instruction, sources: tuple[str, ...], flags: Mapping[str, str]) -> bool:
    """Whether what is brought is something else than the folder's files as they lie there."""
    unpacked = instruction.keyword == "ADD" and any(_ARCHIVE.search(source) for source in sources)
    fetched = any("://" in source or source.startswith("git@") for source in sources)
    odd = flags.keys() & {"from", "exclude", "parents", "keep-git-dir"}
    return bool(odd) or "<<" in instruction.rest or unpacked or fetched


def _taken_over(origin: _Stage | None, name: str, base: ImageConfig) -> _Stage:
    """A new stage, which begins from another one or from an image."""
    if origin is None:
        return _Stage(base=name, config=base)
    return _Stage(
        base=origin.base,
        config=origin.config,
        instructions=list(origin.instructions),
        copies=list(origin.copies),
        lines=dict(origin.lines),
        shell_form=set(origin.shell_form),
        shell=origin.shell,
    )
