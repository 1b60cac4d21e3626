"""What a shell's words come to where it can be known: variables, arguments, and a few substitutions."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.command.lexer import Part, PartKind, Token, Unclear, tokens
from mooring.checks.command.whole import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OWN_FOLDER = re.compile(
    r"""\$\(\s*(?:cd\s+(?:--\s+)?["']?\$\(\s*)?dirname\s+(?:--\s+)?["']?\$(?:0|\{0\}|\{BASH_SOURCE(?:\[0\])?\})"""
)
_WHICH = re.compile(r"\$\(\s*(?:which|command\s+-v)\s+([\w.+-]+)\s*\)")
_PWD = re.compile(r"\$\(\s*pwd\s*\)")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)(\+?)=")
# Bytes of a value that is carried on; more is no option of a server, and might have been made to exhaust us.
LONGEST = 2048


def unknown(word: str) -> bool:
    """Whether a word holds what only running it would tell: variables nobody set, substitutions, patterns."""
    return any(sign in word for sign in "$`*?[~")


@dataclass
class Scope:
    """The variables of a shell, its arguments, the name it was called by and the folder it is in.

    A value that cannot be known keeps its `$`. It is not `settled` once something was run that may have changed any
    variable, PATH too. `origins` are the places, such as `/home/run.sh:2`, that set a variable last.
    """

    values: dict[str, str]
    directory: str = "/"
    name: str = "sh"
    arguments: tuple[str, ...] = ()
    arguments_known: bool = True
    settled: bool = True
    assigned: set[str] = field(default_factory=set)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where programs are looked for."""
        return self.values.get("PATH") or DEFAULT_PATH

    def assign(self, assignments: Iterable[str | Token], *, certain: bool = True, origin: str = "") -> None:
        """Take over `NAME=value` words; of what is not certain, only that there is something."""
        for one in assignments:
            raw = one if isinstance(one, str) else one.raw
            match = _ASSIGNED.match(raw)
            if match is None:
                continue
            name = match[1]
            value = raw[match.end() :] if isinstance(one, str) else self.text(_after(one, match.end()))
            if match[2]:
                value = self.values.get(name, "") + value
            self.assigned.add(name)
            self.origins[name] = origin
            same = self.values.get(name) == value
            self.values[name] = value if (certain or same) and len(value) < LONGEST else f"${name}"
            if name == "PATH" and unknown(self.values[name]):
                self.settled = False

    def text(self, parts: Iterable[Part]) -> str:
        """The parts in one word."""
        return "".join(self._value(part) for part in parts)

    def words(self, found: Iterable[Token]) -> tuple[str, ...]:
        """What the words come to: `"$@"` is several, an empty variable without quotes none."""
        return tuple(word for token in found for word in self._split(token))

    def _split(self, token: Token) -> list[str]:
        """The fields of one word, as unquoted variables and arguments make them."""
        fields, open_field = [], None
        for part in token.parts:
            pieces, splits = self._pieces(part)
            for index, piece in enumerate(pieces):
                if index and splits and open_field is not None:
                    fields.append(open_field)
                    open_field = None
                open_field = (open_field or "") + piece
        if open_field is not None:
            fields.append(open_field)
        return fields

    def _pieces(self, part: Part) -> tuple[list[str], bool]:
        if part.kind is PartKind.ARGUMENTS:
            return (list(self.arguments), True) if self.arguments_known else (["$@"], False)
        value = self._value(part)
        if part.kind is PartKind.VARIABLE and not part.quoted:
            return value.split(), True
        return [value], False

    def _value(self, part: Part) -> str:
        if part.kind is PartKind.TEXT:
            return part.text
        if part.kind is PartKind.ARGUMENTS:
            return " ".join(self.arguments) if self.arguments_known else "$@"
        if part.kind is PartKind.SUBSTITUTION:
            return self._substituted(part.text)
        return self._variable(part)

    def _variable(self, part: Part) -> str:
        name = part.text
        if name == "0":
            return self.name
        place = whole(name)
        if place is not None:
            inside = 0 < place <= len(self.arguments)
            value = self.arguments[place - 1] if self.arguments_known and inside else None
        else:
            value = self.directory if name == "PWD" else self.values.get(name)
        if not value and part.default is not None:
            return self._default(part.default)
        return f"${name}" if value is None else value

    def _default(self, text: str) -> str:
        try:
            found = tokens(text)
        except Unclear:
            return f"${{{text}}}"
        return " ".join(self.text(token.parts) if token.parts else token.raw for token in found)

    def _substituted(self, text: str) -> str:
        if _OWN_FOLDER.match(text):
            return posixpath.normpath(posixpath.join(self.directory, posixpath.dirname(self.name)))
        if match := _WHICH.fullmatch(text):
            return match[1]
        return self.directory if _PWD.fullmatch(text) else text


def _after(token: Token, length: int) -> tuple[Part, ...]:
    """The parts of an assignment behind its `NAME=`, which stands plainly at the beginning."""
    first, *rest = token.parts
    return (Part(first.text[length:], first.kind, first.quoted), *rest)
