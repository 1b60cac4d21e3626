"""The server that a start command leads to, and what is said of its port, address and connections, and where."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.checks.command.flags import Flags
from mooring.checks.command.gunicorn import gunicorn
from mooring.checks.command.python_program import PythonProgram, python_program
from mooring.checks.command.python_server import served_by
from mooring.checks.command.python_source import UNKNOWN, parsed
from mooring.checks.command.setting import ALL, LOOPBACK, PYTHONS_OWN, Server, Setting, split_address, traced
from mooring.checks.command.whole import whole

if TYPE_CHECKING:
    from mooring.checks.command.python_server import Found
    from mooring.checks.command.start import StartCommand
    from mooring.image.filesystem import Filesystem

SERVE_FOLDER = "/opt/mooring/server"
RUNSERVER = "runserver"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A server that is told everything by options: their names, the variables that stand in for them, the defaults.

    A default of None is one that we do not know. `reloads` are switches that are for development.
    """

    name: str
    host: tuple[str, ...] = ("--host",)
    port: tuple[str, ...] = ("--port",)
    idle: tuple[str, ...] = ()
    prefix: str = ""
    default_host: str | None = LOOPBACK
    default_port: str | None = "8000"
    default_idle: str | None = None
    reloads: tuple[str, ...] = ()
    development: str = ""
    valued: frozenset[str] = frozenset()
    app_folder: tuple[str, ...] = ()
    names_app: bool = False


_UVICORN_OPTIONS = """
--host --port --uds --fd --reload-dir --reload-include --reload-exclude --reload-delay --workers --loop --http --ws
--ws-max-size --ws-max-queue --ws-ping-interval --ws-ping-timeout --lifespan --interface --env-file --log-config
--log-level --forwarded-allow-ips --root-path --limit-concurrency --backlog --limit-max-requests
--timeout-keep-alive --timeout-graceful-shutdown --ssl-keyfile --ssl-certfile --ssl-keyfile-password --header
--app-dir --h11-max-incomplete-event-size
"""
_UVICORN_VALUED = frozenset(_UVICORN_OPTIONS.split())
KINDS = {
    "uvicorn": Kind(
        name="uvicorn",
        idle=("--timeout-keep-alive",),
        prefix="UVICORN_",
        default_idle="5",
        reloads=("--reload",),
        valued=_UVICORN_VALUED,
        app_folder=("--app-dir",),
        names_app=True,
    ),
    "flask": Kind(
        name="Flask's own server",
        host=("--host", "-h"),
        port=("--port", "-p"),
        prefix="FLASK_RUN_",
        default_port="5000",
        default_idle="0",
        reloads=("--debug", "--reload"),
        development="flask run",
    ),
    "waitress-serve": Kind(
        name="waitress", default_host=ALL, default_port="8080", idle=("--channel-timeout",), default_idle="120"
    ),
    "waitress": Kind(
        name="waitress", default_host=ALL, default_port="8080", idle=("--channel-timeout",), default_idle="120"
    ),
    "granian": Kind(name="granian", prefix="GRANIAN_", reloads=("--reload",)),
    "fastapi": Kind(name="uvicorn", default_host=ALL, default_idle="5", reloads=("--reload",)),
    "tritonserver": Kind(name="tritonserver", host=("--http-address",), port=("--http-port",), default_host=ALL),
    "vllm": Kind(name="vLLM", default_host=ALL, default_idle="5"),
    "vllm.entrypoints.openai.api_server": Kind(name="vLLM", default_host=ALL, default_idle="5"),
    "http.server": Kind(
        name=PYTHONS_OWN,
        host=("--bind", "-b"),
        default_host=ALL,
        default_port=None,
        development="python -m http.server",
    ),
    "streamlit": Kind(
        name="Streamlit",
        host=("--server.address",),
        port=("--server.port",),
        prefix="STREAMLIT_SERVER_",
        default_host=ALL,
        default_port="8501",
    ),
    "java": Kind(
        name="Java",
        host=("--server.address", "-Dserver.address"),
        port=("--server.port", "-Dserver.port"),
        default_host=None,
        default_port=None,
    ),
    "node": Kind(name="node", default_host=None, default_port=None),
    "nginx": Kind(name="nginx", host=(), port=(), default_host=None, default_port=None),
}


def server_of(start: StartCommand, files: Filesystem) -> Server | None:
    """The server that is started; None where none is recognised."""
    if not start.program:
        return None
    python = python_program(start, files)
    words = python.words if python else start.program
    name = posixpath.basename(words[0]) if words else ""
    found = _named(name, words, start, files, python)
    return replace(found, python=python) if found else None


def _named(
    name: str, words: tuple[str, ...], start: StartCommand, files: Filesystem, python: PythonProgram | None
) -> Server | None:
    if name in ("gunicorn", "gunicorn.app.wsgiapp"):
        return gunicorn(words[1:], start, files)
    if _is_mooring(words):
        return _mooring(start)
    if name == "hypercorn":
        return _hypercorn(Flags(words[1:]))
    if name == "manage.py" and RUNSERVER in words:
        return _django(words)
    if name in KINDS and not (python and python.script):
        return _by_options(KINDS[name], words, start)
    return _by_source(python, start, files) if python else None


def _is_mooring(words: tuple[str, ...]) -> bool:
    return any(
        word == SERVE_FOLDER or posixpath.basename(word) in ("mooring-serve", "mooring_serve") for word in words[:1]
    )


def _mooring(start: StartCommand) -> Server:
    def said(name: str, default: str) -> Setting | None:
        if not (value := start.environment.get(name, "")):
            return _setting(default, "mooring-serve's default")
        return traced(_setting(value, "mooring-serve"), [start.variable(name)])

    return Server(
        kind="mooring-serve",
        host=said("MOORING_HOST", LOOPBACK),
        port=said("MOORING_PORT", "8080"),
        idle=said("MOORING_KEEP_ALIVE_SECONDS", "200"),
        flushes=True,
    )


def _setting(value: str | None, where: str) -> Setting | None:
    """None where the value is not known."""
    return Setting(value, where) if value is not None and "$" not in value and "`" not in value else None


def _by_options(kind: Kind, words: tuple[str, ...], start: StartCommand) -> Server | None:
    flags = Flags(words[1:], kind.valued)
    if kind.name == "vLLM" and posixpath.basename(words[0]) == "vllm" and "serve" not in words:
        return None
    development = kind.development or next((one for one in kind.reloads if flags.has(one)), "")
    if posixpath.basename(words[0]) == "fastapi":
        development = development or ("fastapi dev" if "dev" in words else "")
    reader = _Reader(kind, flags, start)
    listen = flags.value("--listen") if kind.name == "waitress" else None
    host, port = split_address(listen) if listen else ("", "")
    app = flags.first_operand() if kind.names_app else None
    return Server(
        kind=kind.name,
        host=_setting(host, "--listen") if listen else reader.said(kind.host, "HOST", kind.default_host),
        port=_setting(port, "--listen") if listen else reader.said(kind.port, "PORT", kind.default_port),
        idle=reader.said(kind.idle, "TIMEOUT_KEEP_ALIVE", kind.default_idle),
        development=development,
        app=app or "",
        app_folder=flags.value(*kind.app_folder) or "" if kind.app_folder else "",
    )


@dataclass(frozen=True)
class _Reader:
    """Where a server of that kind finds its settings: options first, then variables, then its defaults."""

    kind: Kind
    flags: Flags
    start: StartCommand

    def said(self, names: tuple[str, ...], variable: str, default: str | None) -> Setting | None:
        given = self.flags.value(*names) if names else None
        if given is not None:
            return _setting(given, f"{names[0]} in {self.start.source}")
        name = self.kind.prefix + variable
        if self.kind.prefix and self.start.environment.get(name):
            return traced(_setting(self.start.environment[name], self.kind.name), [self.start.variable(name)])
        if self.flags.clouded or not self.start.settled:
            return None
        return _setting(default, f"{self.kind.name}'s default")


def _hypercorn(flags: Flags) -> Server:
    config = flags.value("--config", "-c")
    bind = flags.value("--bind", "-b")
    known = config is None and not flags.clouded
    host, port = split_address(bind) if bind else (LOOPBACK, "8000")
    where = "--bind" if bind else "hypercorn's default"
    idle = flags.value("--keep-alive")
    return Server(
        kind="hypercorn",
        host=_setting(host, where) if bind or known else None,
        port=_setting(port, where) if bind or known else None,
        idle=_setting(idle or "5", "--keep-alive" if idle else "hypercorn's default") if idle or known else None,
        development="--reload" if flags.has("--reload") else "",
    )


def _django(words: tuple[str, ...]) -> Server:
    rest = [word for word in words[words.index(RUNSERVER) + 1 :] if not word.startswith("-")]
    address = rest[0] if rest else f"{LOOPBACK}:8000"
    host, port = split_address(address) if whole(address) is None else (LOOPBACK, address)
    where = "manage.py runserver"
    return Server(kind="Django's own server", host=_setting(host, where), port=_setting(port, where), development=where)


def _by_source(python: PythonProgram, start: StartCommand, files: Filesystem) -> Server | None:
    """The server that the named file starts by a call."""
    content = files.text(python.path) if python.path else None
    source = parsed(content, python.path, start.environment, python.words[1:]) if content is not None else None
    found = served_by(source) if source else None
    if found is None:
        return None
    where = f"{python.path}:{found.line}"
    return Server(
        kind=found.call.kind,
        host=traced(_folded(found.host, where), map(start.variable, found.host_from)),
        port=traced(_folded(found.port, where), map(start.variable, found.port_from)),
        idle=_folded(found.idle, where),
        development=_development(found),
        stated=f"{where}: {found.text}",
        form=found.form,
    )


def _folded(value: object, where: str) -> Setting | None:
    if value is UNKNOWN or value is None:
        return None
    text = str(value)
    # "" is every address, to a socket.
    return _setting(
        ALL if text == "" else re.sub(r"\.0$", "", text) if text.endswith(".0") and text.count(".") == 1 else text,
        where,
    )


def _development(found: Found) -> str:
    if found.switched_on:
        return ", ".join(f"{name}=True" for name in found.switched_on)
    return found.call.kind if found.call.development else ""
