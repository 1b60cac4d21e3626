"""Programs that only start another one: env, tini, gosu and their kind, and where in their words that one begins."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, kw_only=True)
class Wrapper:
    """`plain` options stand alone, `valued` ones take the next word; `operands` words follow, such as a user."""

    plain: frozenset[str] = frozenset()
    valued: frozenset[str] = frozenset()
    operands: int = 0


def _wrapper(plain: str = "", valued: str = "", operands: int = 0) -> Wrapper:
    return Wrapper(plain=frozenset(plain.split()), valued=frozenset(valued.split()), operands=operands)


_TINI = _wrapper("-g -s -v -vv -vvv -w", "-e -p")
WRAPPERS = {
    "env": _wrapper("-i -v -0 --ignore-environment", "-u --unset -C --chdir"),
    "tini": _TINI,
    "tini-static": _TINI,
    "docker-init": _TINI,
    "catatonit": _TINI,
    "dumb-init": _wrapper("-c -v --single-child --verbose", "-r --rewrite"),
    "su-exec": _wrapper(operands=1),
    "gosu": _wrapper(operands=1),
    "nohup": _wrapper(),
    "command": _wrapper("-p"),
    "builtin": _wrapper(),
    "setsid": _wrapper("-c -f -w"),
    "nice": _wrapper("", "-n"),
    "ionice": _wrapper("-t", "-c -n"),
    "stdbuf": _wrapper("-oL -eL -o0 -e0 -iL -i0", "-o -e -i"),
}
# Process 1 for others: they pass signals on to the process they start, or to all of its group.
INITS = frozenset({"tini", "tini-static", "docker-init", "catatonit", "dumb-init"})
_TO_ALL = frozenset({"dumb-init"})


@dataclass(frozen=True, kw_only=True)
class Wrapped:
    """What a wrapper starts, and the assignments that env makes before."""

    words: tuple[str, ...]
    assignments: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


def wrapped(words: tuple[str, ...]) -> Wrapped | None:
    """What the wrapper in front of `words` starts; None if it is no wrapper, or has options that are not known."""
    name = posixpath.basename(words[0])
    wrapper = WRAPPERS.get(name)
    if wrapper is None:
        return None
    rest = list(words[1:])
    unset = []
    while rest and rest[0].startswith("-") and rest[0] != "--":
        if rest[0] in wrapper.valued:
            unset += rest[1:2] if rest[0] in ("-u", "--unset") else []
            del rest[:2]
        elif rest[0] in wrapper.plain:
            del rest[:1]
        else:
            return None
    rest = rest[1:] if rest[:1] == ["--"] else rest
    rest = rest[wrapper.operands :]
    assignments = []
    while name == "env" and rest and _ASSIGNMENT.match(rest[0]):
        assignments.append(rest.pop(0))
    return Wrapped(words=tuple(rest), assignments=tuple(assignments), unset=tuple(unset))


def to_the_whole_group(words: tuple[str, ...]) -> bool:
    """Whether this init sends signals to all processes below it."""
    name = posixpath.basename(words[0])
    return (name in _TO_ALL and not {"-c", "--single-child"} & set(words[1:])) or (name in INITS and "-g" in words[1:3])
