"""The start command of a Dockerfile, put right where there is one way to do it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from mooring.checks.dockerfile import read_dockerfile

if TYPE_CHECKING:
    from mooring.checks.dockerfile import Dockerfile
    from mooring.checks.dockerfile.lines import Instruction

# A word that no shell would change.
_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@%+-]+")
# What only a shell can run, or what would change what follows.
_OF_THE_SHELL = frozenset(
    [
        *(
            "alias",
            "bg",
            "command",
            "cd",
            "eval",
            "exit",
            "export",
            "fg",
            "hash",
            "local",
            "read",
            "readonly",
            "return",
        ),
        *("set", "shift", "source", ".", ":", "test", "times", "trap", "type", "ulimit", "umask", "unalias", "unset"),
        *("if", "for", "while", "until", "case", "function", "time", "wait"),
    ]
)


def mended(text: str, *, boot_file: str) -> tuple[str, dict[str, str]]:
    """The text put right, and what was done in a few words, each with the rule that asks for it.

    The same text, and no words, if nothing was.
    """
    found, done = read_dockerfile(text), dict[str, str]()
    for keyword in ("CMD", "ENTRYPOINT"):
        instruction = found.last(keyword)
        words = _words(found, instruction) if instruction else None
        if instruction is None or words is None:
            continue
        becomes = keyword
        if keyword == "ENTRYPOINT" and boot_file in words and found.last("CMD") is None:
            becomes = "CMD"
            done["IMG-BOOT-02"] = f"CMD instead of ENTRYPOINT for {boot_file}"
        if keyword in found.shell_form:
            done["IMG-TERM-03"] = f"{becomes} without a shell, so that the server gets SIGTERM"
        if becomes != keyword or keyword in found.shell_form:
            text = _replaced(text, instruction, f"{becomes} {json.dumps(words)}")
            found = read_dockerfile(text)
    return text, done


def _words(found: Dockerfile, instruction: Instruction) -> list[str] | None:
    """The words of the command, if no shell would make anything else of them; None if one might."""
    given = instruction.exec_form
    if given is not None:
        return list(given) or None
    words = instruction.rest.split()
    if words[:1] == ["exec"]:
        words = words[1:]
    other = "CMD" if instruction.keyword == "ENTRYPOINT" else "ENTRYPOINT"
    # Behind an entrypoint the words are its arguments, and a shell among them means something.
    alone = instruction.keyword == "ENTRYPOINT" or found.last(other) is None
    plain = bool(words) and all(_PLAIN.fullmatch(word) for word in words)
    runs = plain and words[0] not in _OF_THE_SHELL and "=" not in words[0]
    return words if alone and runs and found.last("SHELL") is None else None


def _replaced(text: str, instruction: Instruction, line: str) -> str:
    lines = text.split("\n")
    old = lines[instruction.line - 1 : instruction.last_line]
    end = "\r" if old[0].endswith("\r") else ""
    lines[instruction.line - 1 : instruction.last_line] = [line + end]
    # A comment between continued lines is the author's, and stays before the instruction.
    comments = [each for each in old[1:] if each.lstrip().startswith("#")]
    lines[instruction.line - 1 : instruction.line - 1] = comments
    return "\n".join(lines)
