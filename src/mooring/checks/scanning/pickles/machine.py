"""What a pickle would do if it were loaded: its opcodes followed with stand-ins for values, nothing imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from mooring.checks.scanning.pickles.memo import Memo, TooMuch
from mooring.checks.scanning.pickles.reading import OPAQUE

# What is kept is bounded; more than this no pickle of a model needs, or it is told to be beyond us.
MOST_STACK = 1_000_000
MOST_ITEMS = 64
MOST_NAMES = 5_000
NAME = re.compile(r"[A-Za-z_][\w.]{0,199}", re.ASCII)


class Mark:
    """Where the items of a container begin on the stack."""


MARK = Mark()


class Broken(Exception):
    """No unpickler would go on from here; the text says why."""


@dataclass(frozen=True, slots=True)
class Global:
    """Something imported: a class, a function, a module's attribute."""

    module: str
    name: str


# Attributes of classes are pickled as a call of getattr: with names that are plain to see it is one more import.
GETATTR = Global("builtins", "getattr")
_GETATTRS = frozenset({GETATTR, Global("__builtin__", "getattr")})


def is_plausible(found: Global) -> bool:
    """Whether somebody may have meant these names: noise that looks like an import has others."""
    return found.module.isprintable() and found.name.isprintable() and bool(found.module and found.name)


@dataclass(slots=True)
class Made:
    """What a call of something imported would give: the callable, its arguments, the state set on it."""

    maker: Any
    arguments: Any = OPAQUE
    state: Any = OPAQUE


@dataclass(slots=True)
class Machine:
    """The stack, the memo, and what was imported so far.

    `strict` ends where an unpickler would fail for want of values. `imports` are the names in the order they appear;
    `unresolved` counts imports whose names are made while loading, `registered` those by a number of copyreg's;
    `called` tells that something imported was called, `patched` names what had its own state set.
    """

    strict: bool = False
    stack: list[Any] = field(default_factory=list)
    memo: Memo = field(default_factory=Memo)
    imports: dict[Global, None] = field(default_factory=dict)
    unresolved: int = 0
    registered: int = 0
    called: bool = False
    getters: int = 0
    resolved: int = 0
    patched: dict[Global, None] = field(default_factory=dict)
    stopped: bool = False
    wrapper: Made | None = None

    def fork(self) -> Machine:
        """Another one that goes on from here by itself, and is strict: what it reads may be no pickle at all."""
        return Machine(strict=True, stack=self.stack[-MOST_ITEMS:], memo=Memo(self.memo))

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        if len(self.stack) >= MOST_STACK:
            raise Broken(f"it holds more than {MOST_STACK:,} values at a time")
        self.stack.append(value)

    def pop(self) -> Any:
        """Take the topmost value; OPAQUE when there is none."""
        if not self.stack or self.stack[-1] is MARK:
            return self.missing()
        return self.stack.pop()

    def top(self) -> Any:
        """Look at the topmost value; OPAQUE when there is none."""
        return self.stack[-1] if self.stack and self.stack[-1] is not MARK else self.missing()

    def missing(self) -> Any:
        """What stands for a value that is not there."""
        if self.strict:
            raise Broken("it takes values that are not there")
        return OPAQUE

    def pop_mark(self) -> list[Any]:
        """Take everything above the topmost mark, and the mark."""
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is MARK:
                items = self.stack[at + 1 :]
                del self.stack[at:]
                return items
        self.missing()
        items, self.stack = self.stack, []
        return items

    def remember(self, key: int) -> None:
        """Put the topmost value into the memo."""
        try:
            self.memo.put(key, self.top())
        except TooMuch:
            raise Broken("it puts more values aside than can be followed") from None

    def recall(self, key: int) -> None:
        """Push what the memo has under that number."""
        value = self.memo.get(key) if key in self.memo else self.missing()
        self.getters += value is GETATTR
        self.push(value)

    def imported(self, module: Any, name: Any) -> None:
        """Push something imported; where its name cannot be known, count that."""
        if not isinstance(module, str) or not isinstance(name, str):
            self.unresolved += 1
            self.push(Made(OPAQUE))
            return
        if self.strict and not (NAME.fullmatch(module) and NAME.fullmatch(name)):
            raise Broken("it imports something that is no name")
        found = Global(module, name)
        if found in _GETATTRS:
            self.getters += 1
            self.push(GETATTR)
            return
        if found not in self.imports and len(self.imports) >= MOST_NAMES:
            raise Broken(f"it imports more than {MOST_NAMES:,} different names")
        self.imports[found] = None
        self.push(found)

    def made(self, maker: Any, arguments: Any) -> None:
        """Push what calling `maker` would give."""
        self.called = self.called or isinstance(maker, (Global, Made))
        if maker is GETATTR and (found := _attribute(arguments)) is not None:
            self.resolved += 1
            self.imported(found.module, found.name)
        else:
            self.push(Made(maker, arguments))

    def settle(self) -> None:
        """At the end: a getattr that was used for anything else than a plain name may give anything."""
        if self.getters > self.resolved:
            self.imports[GETATTR] = None

    def built(self, state: Any) -> None:
        """Set state on the topmost value; a wrapped array's bytes follow in the file."""
        target = self.top()
        if isinstance(target, Global):
            self.patched[target] = None
        elif isinstance(target, Made):
            target.state = state
            maker = target.maker
            if (
                isinstance(maker, Global)
                and maker.name == "NumpyArrayWrapper"
                and maker.module.endswith("joblib.numpy_pickle")
            ):
                self.wrapper = target


def _attribute(arguments: Any) -> Global | None:
    """What `getattr(imported, "name")` gives, or that of an object made by something imported; None if unknown."""
    if not isinstance(arguments, tuple) or len(arguments) != 2:  # noqa: PLR2004 - without a default
        return None
    owner, name = arguments
    owner = owner.maker if isinstance(owner, Made) else owner
    if isinstance(owner, Global) and owner is not GETATTR and isinstance(name, str):
        return Global(owner.module, f"{owner.name}.{name}")
    return None
