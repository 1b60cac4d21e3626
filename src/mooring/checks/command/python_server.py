"""The servers that Python source starts by a call: app.run, uvicorn.run, serve, HTTPServer and their kind."""

from __future__ import annotations

import ast
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command.python_source import UNKNOWN, dotted, keyword, variables
from mooring.checks.command.setting import PYTHONS_OWN

if TYPE_CHECKING:
    from mooring.checks.command.python_source import Source


@dataclass(frozen=True, kw_only=True)
class Argument:
    """Where a call takes a value: its name, its place (-1: by name only), and what holds when it is left out."""

    name: str
    place: int = -1
    default: object = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call that serves. `name` is the end of what is called; `module` must be imported for it to be meant.

    `pair` tells that host and port are one tuple, the first argument. `switches` are arguments that make it reload or
    debug. `idle` is how many seconds an idle connection lives, by default.
    """

    kind: str
    module: str
    name: str
    host: Argument = Argument(name="host", place=0)
    port: Argument = Argument(name="port", place=1)
    idle: Argument | None = None
    pair: bool = False
    development: bool = False
    switches: tuple[str, ...] = ("debug", "reload", "use_reloader")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A call that was found, its values (UNKNOWN where they are), and where it stands.

    `form` is how it is written, with `{host}` and `{port}` in their places; `host_from` and `port_from` are the
    variables of the environment that their values may come from.
    """

    call: Call
    host: object
    port: object
    idle: object
    switched_on: tuple[str, ...]
    line: int
    text: str
    form: str
    host_from: frozenset[str] = frozenset()
    port_from: frozenset[str] = frozenset()


def _host(place: int, default: str) -> Argument:
    return Argument(name="host", place=place, default=default)


def _port(place: int, default: int) -> Argument:
    return Argument(name="port", place=place, default=default)


MOST_CALLS = 20
LOOPBACK, ALL = "127.0.0.1", "0.0.0.0"  # noqa: S104 - what servers bind unless told otherwise
CALLS = (
    Call(
        kind="uvicorn",
        module="uvicorn",
        name="uvicorn.run",
        host=_host(-1, LOOPBACK),
        port=_port(-1, 8000),
        idle=Argument(name="timeout_keep_alive", default=5),
    ),
    Call(
        kind="Flask's own server",
        module="flask",
        name=".run",
        host=_host(0, LOOPBACK),
        port=_port(1, 5000),
        idle=Argument(name="", default=0),
        development=True,
    ),
    Call(kind="Sanic", module="sanic", name=".run", host=_host(0, LOOPBACK), port=_port(1, 8000)),
    Call(
        kind="Flask-SocketIO",
        module="flask_socketio",
        name="socketio.run",
        host=_host(1, LOOPBACK),
        port=_port(2, 5000),
    ),
    Call(
        kind="waitress",
        module="waitress",
        name="serve",
        host=_host(-1, ALL),
        port=_port(-1, 8080),
        idle=Argument(name="channel_timeout", default=120),
    ),
    Call(
        kind="aiohttp",
        module="aiohttp",
        name="run_app",
        host=_host(-1, ALL),
        port=_port(-1, 8080),
        idle=Argument(name="keepalive_timeout"),
    ),
    Call(kind=PYTHONS_OWN, module="http", name="HTTPServer", pair=True, development=True),
    Call(kind="gevent", module="gevent", name="WSGIServer", pair=True),
    Call(
        kind="Gradio",
        module="gradio",
        name=".launch",
        host=Argument(name="server_name", default=LOOPBACK),
        port=Argument(name="server_port", default=7860),
        switches=(),
    ),
    Call(
        kind="tornado",
        module="tornado",
        name=".listen",
        host=Argument(name="address", place=1, default=ALL),
        port=_port(0, 0),
    ),
)


def served_by(source: Source) -> Found | None:
    """The one call of the source that serves; None if there is none, or several that differ."""
    found = list(itertools.islice((one for call in source.calls if (one := _recognised(source, call))), MOST_CALLS))
    said = {(one.call.kind, repr(one.host), repr(one.port)) for one in found}
    return found[0] if len(said) == 1 else None


def _recognised(source: Source, node: ast.Call) -> Found | None:
    name = dotted(node.func)
    for call in CALLS:
        if call.module in source.imports and _is_called(name, call):
            # asyncio.run and subprocess.run end like app.run, and are not meant.
            if call.name == ".run" and name.split(".")[0] in _OTHERS:
                continue
            return _found(source, node, call)
    return None


_OTHERS = frozenset(
    {"asyncio", "subprocess", "uvicorn", "anyio", "trio", "web", "socketio", "mp", "pool", "sess", "session"}
)


def _is_called(name: str, call: Call) -> bool:
    """Whether a dotted name ends as the call's does, at a dot; kinds of one server (Threading...) by their end."""
    return name.endswith(call.name) if call.pair else f".{name}".endswith(f".{call.name.removeprefix('.')}")


def _found(source: Source, node: ast.Call, call: Call) -> Found:
    if call.pair:
        given = _pair(source, node)
        host, port = (source.value(one) for one in given)
    else:
        given = (_given(node, call.host), _given(node, call.port))
        host, port = (_value(source, node, one) for one in (call.host, call.port))
    idle = _value(source, node, call.idle) if call.idle else UNKNOWN
    on = tuple(name for name in call.switches if source.value(keyword(node, name)) is True)
    try:
        text = ast.unparse(node)
    except (ValueError, RecursionError):
        text = call.name
    return Found(
        call=call,
        host=host,
        port=port,
        idle=idle,
        switched_on=on,
        line=node.lineno,
        text=text[:200],
        form=_form(node, call),
        host_from=variables(source, given[0]),
        port_from=variables(source, given[1]),
    )


def _form(node: ast.Call, call: Call) -> str:
    """The call with blanks for host and port where it has them: in their places, or by name."""
    name = dotted(node.func) or call.name.removeprefix(".")
    if call.pair:
        return f'{name}(("{{host}}", {{port}}), ...)'
    blanks = {call.host: '"{host}"', call.port: "{port}"}
    placed = {argument.place: argument for argument in blanks if 0 <= argument.place < len(node.args)}
    parts = [blanks[placed[place]] if place in placed else "..." for place in range(len(node.args))]
    parts += [f"{argument.name}={blank}" for argument, blank in blanks.items() if argument not in placed.values()]
    return f"{name}({', '.join(parts)})"


def _given(node: ast.Call, argument: Argument) -> ast.expr | None:
    given = keyword(node, argument.name)
    if given is None and 0 <= argument.place < len(node.args):
        given = node.args[argument.place]
    return given


def _value(source: Source, node: ast.Call, argument: Argument) -> object:
    given = _given(node, argument)
    if given is not None:
        return source.value(given)
    # `**settings` may hold it.
    hidden = any(one.arg is None for one in node.keywords) or any(isinstance(one, ast.Starred) for one in node.args)
    return UNKNOWN if hidden else argument.default


def _pair(source: Source, node: ast.Call) -> tuple[ast.expr | None, ast.expr | None]:
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Name):
        first = source.constants.get(first.id)
    if isinstance(first, ast.Tuple) and len(first.elts) == 2:  # noqa: PLR2004 - an address is host and port
        return first.elts[0], first.elts[1]
    return None, None
