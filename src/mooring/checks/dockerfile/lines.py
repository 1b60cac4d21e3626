"""The instructions of a Dockerfile, each with the lines it takes: continued lines joined, heredocs stepped over."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+|$)(.*)", re.DOTALL)
_FLAG = re.compile(r"--[a-z][a-z-]*(?:=\S*)?\s+")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)(\w+)\1")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*(\S)", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction: its keyword in capitals, its flags, and the rest with its lines joined.

    `line` and `last_line` are the first and the last line it takes in the file, from 1; a heredoc's lines belong to it.
    """

    keyword: str
    rest: str
    flags: tuple[str, ...] = ()
    line: int
    last_line: int

    @property
    def exec_form(self) -> tuple[str, ...] | None:
        """The words of the JSON array that it holds; None where it holds none."""
        try:
            value = json.loads(self.rest)
        except ValueError:
            return None
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return None


def instructions(text: str) -> Iterator[Instruction]:
    """Every instruction in the file, comments and empty lines left out, lines that are continued joined."""
    lines = lines_of(text)
    escape = _escape(lines)
    at = 0
    while at < len(lines):
        start, parts = at, list[str]()
        while at < len(lines):
            line = lines[at]
            at += 1
            stripped = line.strip()
            if stripped.startswith("#") or (not stripped and parts):
                continue
            if line.rstrip().endswith(escape):
                parts.append(line.rstrip()[:-1])
                continue
            parts.append(line)
            break
        match = _INSTRUCTION.fullmatch("".join(parts).strip())
        if match is None:
            continue
        at = _after_heredocs(match, lines, at)
        rest, flags = _without_flags(match[2].strip())
        # Comments before an instruction are not part of it.
        while lines[start].strip().startswith("#") or not lines[start].strip():
            start += 1
        yield Instruction(keyword=match[1].upper(), rest=rest, flags=flags, line=start + 1, last_line=at)


def _escape(lines: list[str]) -> str:
    for line in lines:
        if found := _ESCAPE.match(line.strip()):
            return found[1]
        if not _DIRECTIVE.match(line.strip()):
            break
    return "\\"


def _after_heredocs(match: re.Match[str], lines: list[str], at: int) -> int:
    """The line after the texts that the instruction brings along."""
    if match[1].upper() not in ("RUN", "COPY", "ADD"):
        return at
    for found in _HEREDOC.finditer(match[2]):
        end = next((n for n in range(at, len(lines)) if lines[n].lstrip("\t") == found[2]), None)
        if end is None:
            break
        at = end + 1
    return at


def _without_flags(rest: str) -> tuple[str, tuple[str, ...]]:
    flags = []
    while found := _FLAG.match(rest):
        flags.append(found[0].strip())
        rest = rest[found.end() :]
    return rest, tuple(flags)


def lines_of(text: str) -> list[str]:
    """The lines as a builder counts them, without their ends and without a byte order mark."""
    return [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
