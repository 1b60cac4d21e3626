"""The words and operators of a shell's text, with quotes and expansions told apart; nothing of it is run."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

DEEPEST = 40


class Unclear(Exception):
    """The text cannot be followed without running it; says why."""


class PartKind(enum.Enum):
    """What a piece of a word stands for."""

    TEXT = "text"
    VARIABLE = "variable"
    ARGUMENTS = "arguments"
    SUBSTITUTION = "substitution"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: its text, the name of a variable, or a substitution as it is written.

    `default` is what `${NAME:-default}` says, None where nothing is said.
    """

    text: str
    kind: PartKind = PartKind.TEXT
    quoted: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A word, as written and in parts; or, without parts, an operator or the end of a line."""

    raw: str
    line: int
    parts: tuple[Part, ...] = ()

    @property
    def keyword(self) -> str:
        """The word if it is written plainly, as the words that a shell reserves must be; else nothing."""
        return self.raw if len(self.parts) == 1 and self.parts[0].text == self.raw else ""


_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+|#[^\n]*")
_OPERATOR = re.compile(
    r"&&|\|\||;;&|;;|;&|\|&|&>>|&>|\d*(?:<<<|<<-|<<|<>|>>|>\||>&|<&|[<>](?!\())|[;&|()\n]",
)
_PLAIN = re.compile(r"[^\s;&|()<>'\"\\$`]+")
_NAME = re.compile(r"\w+")
_BRACES = re.compile(r"(\w+)(?::?([-=+?])(.*))?", re.DOTALL)
_INNER = re.compile(r"[^\"\\$`]+")


def tokens(text: str) -> list[Token]:
    """All tokens in order. Unclear for a quote or a bracket that is never closed."""
    return _Lexer(text).tokens()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._heredocs: list[tuple[str, bool]] = []

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        while self._at < len(self._text):
            if blank := _BLANK.match(self._text, self._at):
                self._move(blank.end())
            elif operator := _OPERATOR.match(self._text, self._at):
                found.append(Token(operator[0], self._line))
                self._move(operator.end())
                if operator[0] == "\n":
                    self._skip_heredocs()
            else:
                found.append(self._word())
                if len(found) > 1 and not found[-2].parts and found[-2].raw.lstrip("0123456789") in ("<<", "<<-"):
                    end = "".join(part.text for part in found[-1].parts)
                    self._heredocs.append((end, found[-2].raw.endswith("-")))
        return found

    def _move(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def _skip_heredocs(self) -> None:
        for end, tabs in self._heredocs:
            while self._at < len(self._text):
                stop = self._text.find("\n", self._at)
                stop = len(self._text) if stop < 0 else stop
                row = self._text[self._at : stop].rstrip("\r")
                self._move(min(stop + 1, len(self._text)))
                if (row.lstrip("\t") if tabs else row) == end:
                    break
        self._heredocs = []

    def _word(self) -> Token:
        start, line = self._at, self._line
        parts: list[Part] = []
        while self._at < len(self._text) and not self._ends():
            before = self._at
            parts.extend(self._parts())
            if self._at == before:
                raise Unclear(f"line {line} has {self._text[before]!r} where a word should be")
        return Token(self._text[start : self._at], line, tuple(parts) or (Part("", quoted=True),))

    def _ends(self) -> bool:
        here = self._text[self._at]
        if here in "<>" and self._text.startswith("(", self._at + 1):
            return False
        return here.isspace() or here in ";&|()<>"

    def _parts(self) -> list[Part]:
        here = self._text[self._at]
        if here == "'":
            return [Part(self._between("'"), quoted=True)]
        if here == '"':
            return self._double()
        if here in "$`<>":
            return [self._expansion(quoted=False)]
        if here == "\\":
            self._move(min(self._at + 2, len(self._text)))
            escaped = self._text[self._at - 1 : self._at]
            return [] if escaped == "\n" else [Part(escaped, quoted=True)]
        plain = _PLAIN.match(self._text, self._at)
        if plain is None:
            return []
        self._move(plain.end())
        return [Part(plain[0])]

    def _between(self, quote: str) -> str:
        stop = self._text.find(quote, self._at + 1)
        if stop < 0:
            raise Unclear(f"the quote that opens in line {self._line} is never closed")
        inner = self._text[self._at + 1 : stop]
        self._move(stop + 1)
        return inner

    def _double(self) -> list[Part]:
        opened = self._line
        self._move(self._at + 1)
        parts: list[Part] = []
        while self._at < len(self._text):
            here = self._text[self._at]
            if here == '"':
                self._move(self._at + 1)
                return parts or [Part("", quoted=True)]
            parts.append(self._inside(here))
        raise Unclear(f"the quote that opens in line {opened} is never closed")

    def _inside(self, here: str) -> Part:
        """The next piece between double quotes."""
        if here in "$`":
            return self._expansion(quoted=True)
        if here == "\\":
            escaped = self._text[self._at + 1 : self._at + 2]
            self._move(min(self._at + 2, len(self._text)))
            return Part({"\n": ""}.get(escaped, escaped if escaped in '"\\$`' else "\\" + escaped), quoted=True)
        plain = _INNER.match(self._text, self._at)
        assert plain is not None  # noqa: S101 - the other characters were dealt with above
        self._move(plain.end())
        return Part(plain[0], quoted=True)

    def _expansion(self, *, quoted: bool) -> Part:
        start = self._at
        follows = self._text[start + 1 : start + 2]
        if self._text[start] == "`":
            return Part(f"$({self._between('`')})", PartKind.SUBSTITUTION, quoted)
        if follows == "(":
            self._move(_closing(self._text, start + 1))
            return Part(self._text[start : self._at], PartKind.SUBSTITUTION, quoted)
        if follows == "{":
            self._move(_closing(self._text, start + 1))
            return _braced(self._text[start + 2 : self._at - 1], quoted=quoted)
        if follows == "'" and not quoted:
            self._move(start + 1)
            return Part(self._between("'"), quoted=True)
        return self._short(follows, quoted=quoted)

    def _short(self, follows: str, *, quoted: bool) -> Part:
        """`$NAME`, `$1`, `$@`, `$!`; or a dollar that means nothing."""
        if follows and follows in "@*":
            self._move(self._at + 2)
            return Part(follows, PartKind.ARGUMENTS, quoted)
        if follows and follows in "!$?#-":
            self._move(self._at + 2)
            return Part(f"${follows}", PartKind.SUBSTITUTION, quoted)
        name = _NAME.match(self._text, self._at + 1)
        if name is None:
            self._move(self._at + 1)
            return Part("$", quoted=True)
        text = name[0][0] if name[0][0] in "0123456789" else name[0]
        self._move(self._at + 1 + len(text))
        return Part(text, PartKind.VARIABLE, quoted)


def _braced(inside: str, *, quoted: bool) -> Part:
    if inside in ("@", "*"):
        return Part(inside, PartKind.ARGUMENTS, quoted)
    match = _BRACES.fullmatch(inside)
    if match is None or match[2] == "+":
        return Part(f"${{{inside}}}", PartKind.SUBSTITUTION, quoted)
    default = match[3] if match[2] in ("-", "=") else None
    if default is not None:
        default = default[1:-1] if default[:1] == default[-1:] and default[:1] in ("'", '"') else default
    return Part(match[1], PartKind.VARIABLE, quoted, default)


def _closing(text: str, at: int, depth: int = 0) -> int:
    """The place after the bracket that closes the one at `at`. Unclear if there is none, or they nest too deep."""
    if depth > DEEPEST:
        raise Unclear("expansions nest too deep to be followed")
    opens, closes = text[at], {"(": ")", "{": "}"}[text[at]]
    at += 1
    while at < len(text):
        here = text[at]
        if here == closes:
            return at + 1
        if here == "\\":
            at += 2
        elif here == "'":
            at = _after(text, at, "'")
        elif here == '"':
            at = _after_double(text, at, depth)
        elif here == opens or (here == "$" and text[at + 1 : at + 2] in ("(", "{")):
            at = _closing(text, at if here == opens else at + 1, depth + 1)
        else:
            at += 1
    raise Unclear("an expansion is never closed")


def _after(text: str, at: int, quote: str) -> int:
    stop = text.find(quote, at + 1)
    if stop < 0:
        raise Unclear("a quote is never closed")
    return stop + 1


def _after_double(text: str, at: int, depth: int) -> int:
    at += 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 2
        elif text[at] == "$" and text[at + 1 : at + 2] in ("(", "{"):
            at = _closing(text, at + 1, depth + 1)
        else:
            at += 1
    if at >= len(text):
        raise Unclear("a quote is never closed")
    return at + 1
