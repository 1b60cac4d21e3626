"""What gunicorn is told: by its options, GUNICORN_CMD_ARGS, and its configuration file, in that order."""

from __future__ import annotations

import ast
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command.flags import Flags
from mooring.checks.command.program import absolute
from mooring.checks.command.python_source import UNKNOWN, Source, parsed, variables
from mooring.checks.command.setting import ALL, LOOPBACK, Server, Setting, split_address, traced
from mooring.image import EntryKind

if TYPE_CHECKING:
    from mooring.checks.command.start import StartCommand
    from mooring.image.filesystem import Filesystem

VARIABLE = "GUNICORN_CMD_ARGS"
DEFAULT = "gunicorn's default"
_NAMES = {
    "bind": ("--bind", "-b"),
    "keepalive": ("--keep-alive",),
    "worker_class": ("--worker-class", "-k"),
    "threads": ("--threads",),
    "chdir": ("--chdir",),
    "pythonpath": ("--pythonpath",),
    "config": ("--config", "-c"),
}
_OPTIONS = """
-c --config -b --bind --backlog -w --workers -k --worker-class --threads --worker-connections --max-requests
--max-requests-jitter -t --timeout --graceful-timeout --keep-alive --limit-request-line --limit-request-fields
--chdir -e --env -p --pid --worker-tmp-dir -u --user -g --group -m --umask --access-logfile --access-logformat
--error-logfile --log-file --log-level --logger-class --log-config --log-config-json --log-syslog-to
--log-syslog-prefix --log-syslog-facility --statsd-host --statsd-prefix --dogstatsd-tags -n --name --pythonpath
--paste --forwarded-allow-ips --proxy-allow-from --keyfile --certfile --ssl-version --cert-reqs --ca-certs --ciphers
--reload-engine --reload-extra-file
"""
_VALUED = frozenset(_OPTIONS.split())


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The three places, the strongest first; `hidden` tells that there may be more than we can read."""

    flags: Flags
    variable: Flags
    file: Source | None
    source: str
    hidden: bool

    def said(self, name: str) -> Setting | None:
        for flags, where in ((self.flags, f"in {self.source}"), (self.variable, f"in {VARIABLE}")):
            value = flags.value(*_NAMES[name])
            if value is not None:
                return Setting(value, f"{_NAMES[name][0]} {where}")
        return self._in_file(name)

    def _in_file(self, name: str) -> Setting | None:
        node = self.file.constants.get(name) if self.file else None
        if self.file is None or node is None:
            return None
        value = self.file.value(node)
        text = f"${name}" if value is UNKNOWN else str(value)
        if isinstance(node, (ast.List, ast.Tuple)) and node.elts:
            text = str(self.file.value(node.elts[0]))
        return Setting(text, f"{self.file.path}:{node.lineno}")

    def known(self, name: str, default: str) -> Setting | None:
        """The setting, or gunicorn's default; None where it cannot be known."""
        found = self.said(name)
        if found is None and not self.hidden:
            return Setting(default, DEFAULT)
        return found if found and "$" not in found.value and "object at" not in found.value else None


def gunicorn(words: tuple[str, ...], start: StartCommand, files: Filesystem) -> Server:
    """The server that gunicorn is with these words after its name."""
    told = _told(words, start, files)
    port = start.environment.get("PORT", "")
    bind = told.known("bind", f"{ALL}:{port}" if port else f"{LOOPBACK}:8000")
    host, number = split_address(bind.value) if bind else ("", None)
    if bind and bind.value.startswith("unix:"):
        bind = None
    in_file = variables(told.file, told.file.constants.get("bind")) if told.file else ()
    default = bind is not None and bind.where == DEFAULT
    asked = [start.variable(name) for name in (["PORT"] if default else in_file)]
    worker = told.known("worker_class", "sync")
    threads = told.known("threads", "1")
    if worker and worker.value == "sync" and (threads is None or threads.value != "1"):
        worker = Setting("gthread", threads.where) if threads else None
    folder = told.said("chdir") or told.said("pythonpath")
    switches = Flags((*told.flags.words, *told.variable.words))
    return Server(
        kind="gunicorn",
        host=traced(Setting(host, bind.where), asked) if bind else None,
        port=traced(Setting(number or "8000", bind.where), asked) if bind else None,
        idle=told.known("keepalive", "2"),
        worker=worker,
        development="--reload" if switches.has("--reload") else "",
        app=told.flags.first_operand() or "",
        app_folder=folder.value if folder else "",
    )


def _told(words: tuple[str, ...], start: StartCommand, files: Filesystem) -> _Told:
    text = start.environment.get(VARIABLE, "")
    try:
        variable = Flags(tuple(shlex.split(text)), _VALUED)
    except ValueError:
        variable = Flags(("$",))
    flags = Flags(words, _VALUED)
    named = flags.value(*_NAMES["config"]) or variable.value(*_NAMES["config"])
    path = absolute((named or "./gunicorn.conf.py").removeprefix("file:"), start.directory)
    content = None if "$" in path else _text(path, files)
    source = parsed(content, path, start.environment) if content is not None else None
    # A file that is named and cannot be read may say anything; so may one that computes its names.
    unread = source is None and (named is not None or path.startswith("$") or files.resolve(path) is not None)
    return _Told(
        flags=flags,
        variable=variable,
        file=source,
        source=start.source,
        hidden=unread or flags.clouded or variable.clouded or not start.settled or _computes(source),
    )


def _text(path: str, files: Filesystem) -> bytes | None:
    """The content of the file; an empty one is not kept."""
    entry = files.resolve(path)
    return b"" if entry and entry.kind is EntryKind.FILE and not entry.size else files.text(path)


def _computes(source: Source | None) -> bool:
    """Whether the file may set more names than it spells: imports of everything, exec, globals, changes in branches."""
    if source is None:
        return False
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Name) and node.id in ("exec", "eval", "globals", "locals"):
            return True
    return False
