"""The script that an image starts, put right where there is one way to do it."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from mooring.checks.command.lexer import Unclear
from mooring.checks.command.shell import read_shell

if TYPE_CHECKING:
    from mooring.checks.command.shell import Command, ShellText

SHEBANG = b"#!/bin/sh\n"
# Programs that serve, or that run one which does: what comes last in a script and is none of these is left alone.
_SERVERS = re.compile(
    r"(?:[^\s]*/)?(?:python[\d.]*|pypy[\d.]*|gunicorn|uvicorn|hypercorn|daphne|granian|waitress-serve|uwsgi|flask|fastapi"
    r"|streamlit|mlflow|bentoml|vllm|java|node|deno|bun|tritonserver|tensorflow_model_server|nginx|caddy|httpd"
    r"|gosu|su-exec|tini|dumb-init|[\w.-]*serve[\w.-]*)|\.{0,2}/\S+"
)


def mended(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The script put right, and what was done in a few words, each with the rule that asks for it.

    The same bytes, and no words, if nothing was. No rule asks twice.
    """
    done = dict[str, str]()
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
        done["IMG-BOOT-04"] = "no byte order mark"
    if b"\r\n" in data:
        data = data.replace(b"\r\n", b"\n")
        done["IMG-BOOT-06"] = "line ends as Linux has them"
    if data.strip() and not data.startswith(b"#!"):
        data = SHEBANG + data
        done["IMG-BOOT-05"] = "a first line that says which shell runs it"
    changed = _with_exec(data)
    if changed != data:
        done["IMG-TERM-03"] = "exec before the server, so that it gets SIGTERM"
    return changed, done


def _with_exec(data: bytes) -> bytes:
    """With `exec` before the last command, if that is certainly the server in the foreground."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = read_shell(text)
    except Unclear:
        return data
    last = _server(found)
    lines = text.split("\n")
    if last is None or last.line > len(lines):
        return data
    line = lines[last.line - 1]
    indent = line[: len(line) - len(line.lstrip())]
    if not line.lstrip().startswith(last.words[0].raw) or sum(each.line == last.line for each in found.commands) > 1:
        return data
    lines[last.line - 1] = f"{indent}exec {line.lstrip()}"
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _server(found: ShellText) -> Command | None:
    every = [*found.commands, *(command for body in found.functions.values() for command in body)]
    # With a trap or a second process the shell has something left to do, and must stay.
    if not found.commands or any(each.background or _word(each) == "trap" for each in every):
        return None
    last = found.commands[-1]
    plain = not (last.context or last.piped or last.assignments)
    before = found.commands[-2] if len(found.commands) > 1 else None
    if not plain or (before is not None and before.piped and before.line == last.line):
        return None
    word = _word(last)
    return last if word and word not in found.functions and _SERVERS.fullmatch(word) else None


def _word(command: Command) -> str:
    return command.words[0].keyword if command.words else ""
