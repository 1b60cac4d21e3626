"""The commands of a shell's text in their order, each with what it stands in: a condition, a loop, a function."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mooring.checks.command.lexer import Token, Unclear, tokens

DEEPEST = 50
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-|<<|<>|>>|>\||>&|<&|<|>)|&>>?")
_OPENERS = {"if": "if", "while": "loop", "until": "loop", "{": "group"}
_CLOSERS = frozenset({"fi", "done", "esac", "}"})
_SILENT = frozenset({"then", "else", "elif", "do", "!", "time"})
_COMPOUND = frozenset({"for", "select", "case", "function", "[["})
_RESERVED = _CLOSERS | _SILENT | _COMPOUND | frozenset(_OPENERS)
# What makes it uncertain that a command is reached; a group alone does not.
_CONDITIONS = frozenset({"if", "loop", "case", "subshell", "or"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One simple command: its assignments and words, and how it is started.

    `context` are the constructs around it, the outermost first: if, loop, case, subshell, or (after `||`), group, and
    `function NAME`.
    """

    line: int
    assignments: tuple[Token, ...] = ()
    words: tuple[Token, ...] = ()
    redirected: bool = False
    background: bool = False
    piped: bool = False
    context: tuple[str, ...] = ()

    @property
    def conditional(self) -> bool:
        """Whether it may not be reached."""
        return not _CONDITIONS.isdisjoint(self.context)

    @property
    def function(self) -> str:
        """The function whose body it is part of, "" if none."""
        return next((one.removeprefix("function ") for one in self.context if one.startswith("function ")), "")


@dataclass(frozen=True, kw_only=True)
class ShellText:
    """What a text would do: the commands outside of functions, and the functions by name."""

    commands: tuple[Command, ...]
    functions: dict[str, tuple[Command, ...]] = field(default_factory=dict)


def read_shell(text: str) -> ShellText:
    """The commands of a script. Unclear, saying why, where it cannot be followed."""
    found = _Parser(tokens(text)).commands()
    functions: dict[str, list[Command]] = {}
    for command in found:
        if command.function:
            functions.setdefault(command.function, []).append(command)
    return ShellText(
        commands=tuple(command for command in found if not command.function),
        functions={name: tuple(body) for name, body in functions.items()},
    )


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._stack: list[str] = []
        self._found: list[Command] = []
        self._function = ""
        self._start_anew()

    def _start_anew(self) -> None:
        self._words: list[Token] = []
        self._assignments: list[Token] = []
        self._redirected = False
        self._or = False
        self._piped = False

    def commands(self) -> list[Command]:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if token.parts:
                self._word(token)
            elif _REDIRECTION.fullmatch(token.raw):
                self._redirected = True
                self._at += 1
            else:
                self._operator(token.raw)
        self._end()
        if self._stack:
            raise Unclear(f"a {self._stack[-1]} is opened and never closed")
        return self._found

    def _peek(self) -> str:
        return self._tokens[self._at].raw if self._at < len(self._tokens) else ""

    def _end(self, *, background: bool = False) -> None:
        """What was gathered is a command."""
        if self._words or self._assignments:
            first = (self._assignments + self._words)[0]
            self._found.append(
                Command(
                    line=first.line,
                    assignments=tuple(self._assignments),
                    words=tuple(self._words),
                    redirected=self._redirected,
                    background=background,
                    piped=self._piped,
                    context=(*self._stack, *(("or",) if self._or else ())),
                )
            )
        self._start_anew()

    def _operator(self, raw: str) -> None:
        if raw == "(":
            self._opening()
        elif raw == ")":
            self._end()
            self._pop("subshell")
        elif raw in (";;", ";&", ";;&"):
            self._end()
            self._skip_pattern()
        elif raw in ("|", "|&"):
            self._piped = True
            self._end()
            self._piped = True
        else:
            # In `a || b && c` also c depends on a.
            still = (self._or and raw == "&&") or raw == "||"
            self._end(background=raw == "&")
            self._or = still

    def _opening(self) -> None:
        if self._words and self._peek() == ")" and len(self._words) == 1:
            self._function = self._words.pop().raw
            self._at += 1
        elif self._words or self._assignments:
            self._skip_to(")")  # an array
        elif self._peek() == "(":
            self._skip_to(")")
            self._skip_to(")")
        else:
            self._function = ""
            self._push("subshell")

    def _skip_to(self, raw: str) -> None:
        while self._at < len(self._tokens) and self._tokens[self._at].raw != raw:
            self._at += 1
        self._at += 1

    def _word(self, token: Token) -> None:
        if self._words or not self._reserved(token):
            if not self._words and _ASSIGNMENT.match(token.raw) and not token.parts[0].quoted:
                self._assignments.append(token)
            else:
                self._words.append(token)

    def _reserved(self, token: Token) -> bool:
        """Whether the word is the shell's own; it is dealt with then."""
        word = token.keyword
        if self._assignments or not word:
            return False
        if word in _OPENERS:
            self._push(f"function {self._function}" if word == "{" and self._function else _OPENERS[word])
            self._function = ""
        elif word in _CLOSERS:
            self._pop({"fi": "if", "done": "loop", "esac": "case", "}": "group"}[word])
        elif word in _COMPOUND:
            self._compound(word)
        return word in _RESERVED

    def _compound(self, word: str) -> None:
        if word == "[[":
            self._skip_to("]]")
        elif word == "function":
            self._function = self._peek()
            self._at += 1
            if self._peek() == "(":
                self._at += 2
        elif word == "case":
            self._push("case")
            self._skip_to("in")
            self._skip_pattern()
        else:
            self._push("loop")
            while self._at < len(self._tokens) and self._peek() not in (";", "\n", "do"):
                self._at += 1

    def _skip_pattern(self) -> None:
        """Past the pattern of a case's branch, unless the case ends here."""
        while self._peek() == "\n":
            self._at += 1
        if self._peek() != "esac":
            if self._peek() == "(":
                self._at += 1
            self._skip_to(")")

    def _push(self, what: str) -> None:
        if len(self._stack) >= DEEPEST:
            raise Unclear("its constructs nest too deep to be followed")
        self._stack.append(what)

    def _pop(self, what: str) -> None:
        top = self._stack[-1] if self._stack else ""
        if top != what and not (what == "group" and top.startswith("function ")):
            raise Unclear(f"a {what} is closed that was not opened")
        self._stack.pop()
