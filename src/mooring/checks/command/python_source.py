"""What Python source says of the server it starts: read from its syntax tree, with a little folding of constants."""

from __future__ import annotations

import ast
import functools
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Distinguishes what cannot be known from None, which is a value that source may hold.
UNKNOWN = object()
DEEPEST_FOLD = 20
LONGEST_TEXT = 2048
LARGEST = 1 << 63
MOST_NAMES = 100
GETTERS = ("os.environ.get", "os.getenv", "environ.get", "getenv")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A parsed file: its tree, its plain constants, and what its names can be looked up in."""

    path: str
    tree: ast.Module
    environment: Mapping[str, str] = field(hash=False)
    arguments: Sequence[str] = ()
    constants: Mapping[str, ast.expr] = field(default_factory=dict, hash=False)
    folded: dict[str, object] = field(default_factory=dict, hash=False, repr=False)

    @functools.cached_property
    def imports(self) -> frozenset[str]:
        """The modules it imports, or imports from, without what is behind their first dot."""
        return frozenset(name.split(".")[0] for name in self._imported())

    def _imported(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module

    @functools.cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """Every call there is."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def value(self, node: ast.expr | None, depth: int = 0) -> object:
        """What an expression comes to, UNKNOWN where only running it would tell."""
        if isinstance(node, ast.Constant):
            return node.value if not isinstance(node.value, int) or abs(node.value) < LARGEST else UNKNOWN
        if node is None or depth > DEEPEST_FOLD:
            return UNKNOWN
        for kind, fold in _FOLDS.items():
            if isinstance(node, kind):
                return fold(self, node, depth + 1)
        return UNKNOWN


def variables(source: Source, node: ast.expr | None) -> frozenset[str]:
    """The variables of the environment that an expression asks for, itself or by the constants it names."""
    found, seen, left = set[str](), set[str](), [node]
    while left and len(seen) < MOST_NAMES:
        for one in ast.walk(left.pop() or ast.Constant(None)):
            if isinstance(one, ast.Name) and one.id not in seen:
                seen.add(one.id)
                left.append(source.constants.get(one.id))
            elif isinstance(one, ast.Call) and dotted(one.func) in GETTERS and one.args:
                found.add(str(source.value(one.args[0])))
            elif isinstance(one, ast.Subscript) and dotted(one.value) in ("os.environ", "environ"):
                found.add(str(source.value(one.slice)))
    return frozenset(found)


def parsed(text: bytes, path: str, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> Source | None:
    """The source, or None where it is no Python that we can read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Source(path=path, tree=tree, environment=environment, arguments=tuple(arguments), constants=_constants(tree))


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Names that are given a value in one place only."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.setdefault(node.target.id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def dotted(node: ast.expr) -> str:
    """`uvicorn.run` of such an expression, "" of any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _name(source: Source, node: ast.Name, depth: int) -> object:
    # Each name once: names that are made of names, twice each, would take for ever.
    if node.id not in source.folded:
        source.folded[node.id] = UNKNOWN
        source.folded[node.id] = source.value(source.constants.get(node.id), depth)
    return source.folded[node.id]


def _call(source: Source, node: ast.Call, depth: int) -> object:
    name = dotted(node.func)
    if name in GETTERS and node.args:
        return _variable(source, node.args[0], node.args[1] if len(node.args) > 1 else None, depth)
    if name in ("int", "str", "float") and len(node.args) == 1:
        value = source.value(node.args[0], depth)
        try:
            return UNKNOWN if value is UNKNOWN else {"int": int, "str": str, "float": float}[name](value)
        except (TypeError, ValueError, OverflowError):
            return UNKNOWN
    return UNKNOWN


def _variable(source: Source, name: ast.expr, default: ast.expr | None, depth: int) -> object:
    key = source.value(name, depth)
    value = source.environment.get(key) if isinstance(key, str) else None
    if value is None:
        return source.value(default, depth)
    return UNKNOWN if "$" in value else value


def _item(source: Source, node: ast.Subscript, depth: int) -> object:
    if dotted(node.value) in ("os.environ", "environ"):
        return _variable(source, node.slice, None, depth)
    return UNKNOWN


def _either(source: Source, node: ast.BoolOp, depth: int) -> object:
    """`a or b`, as defaults are written."""
    if not isinstance(node.op, ast.Or):
        return UNKNOWN
    for value in (source.value(each, depth) for each in node.values):
        if value is UNKNOWN or value:
            return value
    return value


def _joined(source: Source, node: ast.JoinedStr, depth: int) -> object:
    values = [source.value(each.value if isinstance(each, ast.FormattedValue) else each, depth) for each in node.values]
    return UNKNOWN if UNKNOWN in values else _short("".join(map(str, values)))


def _sum(source: Source, node: ast.BinOp, depth: int) -> object:
    left, right = source.value(node.left, depth), source.value(node.right, depth)
    if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return _short(left + right)
    return UNKNOWN


def _short(text: str) -> object:
    """A longer one is no address, and might have been made to exhaust us."""
    return text if len(text) <= LONGEST_TEXT else UNKNOWN


def _option(source: Source, node: ast.Attribute, depth: int) -> object:
    """`args.port`, where argparse is told of `--port`: what the command line says, else the default."""
    flag = "--" + node.attr
    told = [call for call in source.calls if dotted(call.func).endswith(".add_argument") and _names(call, flag)]
    if len(told) != 1 or not isinstance(node.value, ast.Name):
        return UNKNOWN
    given = [one for one in source.arguments if one.partition("=")[0] in (flag, flag.replace("_", "-"))]
    if given or any("$" in one for one in source.arguments):
        return _given(source.arguments, given[-1]) if given else UNKNOWN
    return source.value(keyword(told[0], "default"), depth)


def _names(call: ast.Call, flag: str) -> bool:
    spelled = (one.value for one in call.args if isinstance(one, ast.Constant))
    return any(isinstance(one, str) and one.replace("-", "_") == flag.replace("-", "_") for one in spelled)


def _given(arguments: Sequence[str], flag: str) -> object:
    _, equals, value = flag.partition("=")
    if equals:
        return value
    following = list(arguments).index(flag) + 1
    return arguments[following] if following < len(arguments) else UNKNOWN


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The argument of that name."""
    return next((one.value for one in call.keywords if one.arg == name), None)


_FOLDS: dict[type[ast.expr], Callable[[Source, Any, int], object]] = {
    ast.Name: _name,
    ast.Call: _call,
    ast.Subscript: _item,
    ast.BoolOp: _either,
    ast.JoinedStr: _joined,
    ast.BinOp: _sum,
    ast.Attribute: _option,
}
