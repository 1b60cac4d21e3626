"""What each opcode of a pickle does to the machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mooring.checks.scanning.pickles.machine import GETATTR, MOST_ITEMS, Broken, Machine, Made
from mooring.checks.scanning.pickles.reading import OPAQUE, text

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[Machine, Any], None]


# What a string of the oldest protocol may escape: undone here, for it could hide a name.
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\\'\"abfnrtv\n])")
_ESCAPES = dict(zip((bytes([c]) for c in b"abfnrtv\n"), (bytes([c]) for c in b"\a\b\f\n\r\t\v"), strict=False)) | {
    b"\n": b""
}
LATEST_PROTOCOL = 5


def push(machine: Machine, value: Any) -> None:
    """A value that is written out."""
    machine.push(value)


def opaque(machine: Machine, _: Any) -> None:
    """A value that does not matter."""
    machine.push(OPAQUE)


def pushes(value: Any) -> Act:
    """An act that pushes always the same."""
    return lambda machine, _: machine.push(value)


def nothing(_machine: Machine, _argument: Any) -> None:
    """What changes nothing that is followed."""


def protocol(_machine: Machine, version: int) -> None:
    """PROTO: no unpickler goes on with one it does not know."""
    if version > LATEST_PROTOCOL:
        raise Broken(f"it is of protocol {version}, and the latest known is {LATEST_PROTOCOL}")


def stop(machine: Machine, _: Any) -> None:
    """STOP: the topmost value is what loading gives."""
    machine.pop()
    machine.stopped = True


def pop(machine: Machine, _: Any) -> None:
    """POP: a value, or a mark."""
    if machine.stack:
        machine.stack.pop()
    else:
        machine.missing()


def pop_mark(machine: Machine, _: Any) -> None:
    """POP_MARK: everything down to the mark."""
    machine.pop_mark()


def duplicate(machine: Machine, _: Any) -> None:
    """DUP."""
    value = machine.top()
    machine.getters += value is GETATTR
    machine.push(value)


def number(machine: Machine, argument: Any) -> None:
    """INT and LONG: a number in decimal, or the booleans of old."""
    try:
        value: Any = int(argument.rstrip(b"L\r\0 "), 0 if argument[:1] != b"0" else 10)
    except (AttributeError, ValueError):
        value = machine.missing()
    machine.push(value)


def real(machine: Machine, argument: Any) -> None:
    """FLOAT: a number in decimal."""
    try:
        float(argument)
    except (TypeError, ValueError):
        machine.missing()
    machine.push(OPAQUE)


def quoted(machine: Machine, argument: Any) -> None:
    """STRING: a Python literal of old; escapes are undone, for they could hide a name."""
    if argument is OPAQUE:
        machine.push(OPAQUE)
        return
    argument = argument.strip()
    if len(argument) < 2 or argument[:1] != argument[-1:] or argument[:1] not in b"'\"":  # noqa: PLR2004 - two quotes
        machine.missing()
    machine.push(text(_ESCAPE.sub(_unescaped, argument[1:-1])))


def unicode(machine: Machine, argument: Any) -> None:
    """UNICODE: a line, with escapes for what is no Latin letter."""
    try:
        machine.push(OPAQUE if argument is OPAQUE else argument.decode("raw_unicode_escape"))
    except UnicodeDecodeError:
        machine.push(machine.missing())


def _unescaped(found: re.Match[bytes]) -> bytes:
    escape = found[1]
    if escape[:1] == b"x":
        return bytes([int(escape[1:], 16)])
    if escape.isdigit():
        return bytes([int(escape, 8) & 0xFF])
    return _ESCAPES.get(escape, escape)


def get(machine: Machine, argument: Any) -> None:
    """GET and its shorter forms."""
    machine.recall(_index(machine, argument))


def put(machine: Machine, argument: Any) -> None:
    """PUT and its shorter forms."""
    machine.remember(_index(machine, argument))


def _index(machine: Machine, argument: Any) -> int:
    try:
        return int(argument)
    except (TypeError, ValueError):
        machine.missing()
        return -1


def memoise(machine: Machine, _: Any) -> None:
    """MEMOIZE: PUT under the next number."""
    machine.remember(len(machine.memo))


def global_(machine: Machine, argument: Any) -> None:
    """GLOBAL: import what two lines name."""
    if argument is OPAQUE:
        raise Broken("it imports something with a name that is too long to be one")
    machine.imported(*argument)


def stack_global(machine: Machine, _: Any) -> None:
    """STACK_GLOBAL: import what two strings on the stack name."""
    name = machine.pop()
    machine.imported(machine.pop(), name)


def instance(machine: Machine, argument: Any) -> None:
    """INST: import, and call with what is above the mark."""
    machine.pop_mark()
    global_(machine, argument)
    machine.made(machine.pop(), OPAQUE)


def object_(machine: Machine, _: Any) -> None:
    """OBJ: the class is the first thing above the mark."""
    items = machine.pop_mark()
    machine.made(items[0] if items else machine.missing(), OPAQUE)


def call(machine: Machine, _: Any) -> None:
    """REDUCE and NEWOBJ: call with a tuple of arguments."""
    arguments = machine.pop()
    maker = machine.pop()
    if machine.strict and arguments is not OPAQUE and not isinstance(arguments, tuple):
        raise Broken("it calls with what are no arguments")
    machine.made(maker, arguments)


def call_with_keywords(machine: Machine, _: Any) -> None:
    """NEWOBJ_EX: the same with keywords."""
    machine.pop()
    call(machine, None)


def build(machine: Machine, _: Any) -> None:
    """BUILD: set the state of an object."""
    machine.built(machine.pop())


def extension(machine: Machine, _: Any) -> None:
    """EXT1 and its like: import by a number of the registry."""
    machine.registered += 1
    machine.push(Made(OPAQUE))


def persistent(machine: Machine, _: Any) -> None:
    """BINPERSID: what the loader knows by an id."""
    machine.pop()
    machine.push(OPAQUE)


def tuple_of(size: int) -> Act:
    """An act that makes a tuple of so many values."""

    def act(machine: Machine, _: Any) -> None:
        items = [machine.pop() for _ in range(size)]
        machine.push(tuple(reversed(items)))

    return act


def marked_tuple(machine: Machine, _: Any) -> None:
    """TUPLE: of everything above the mark."""
    items = machine.pop_mark()
    machine.push(tuple(items) if len(items) <= MOST_ITEMS else OPAQUE)


def collection(machine: Machine, _: Any) -> None:
    """LIST and FROZENSET: of everything above the mark."""
    machine.pop_mark()
    machine.push(OPAQUE)


def empty_dict(machine: Machine, _: Any) -> None:
    """EMPTY_DICT."""
    machine.push({})


def marked_dict(machine: Machine, _: Any) -> None:
    """DICT: of keys and values above the mark."""
    items = machine.pop_mark()
    machine.push({})
    _fill(machine.top(), items)


def set_item(machine: Machine, _: Any) -> None:
    """SETITEM."""
    value = machine.pop()
    _fill(machine.top(), [machine.pop(), value]) if not machine.stack else _set_on_top(machine, value)


def _set_on_top(machine: Machine, value: Any) -> None:
    key = machine.pop()
    _fill(machine.top(), [key, value])


def set_items(machine: Machine, _: Any) -> None:
    """SETITEMS: keys and values above the mark."""
    items = machine.pop_mark()
    _fill(machine.top(), items)


def _fill(target: Any, items: list[Any]) -> None:
    """Only what is small and named is ever asked for again: the state of an array's wrapper."""
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str) and len(target) < MOST_ITEMS:
                target[key] = value


def append(machine: Machine, _: Any) -> None:
    """APPEND."""
    machine.pop()
    machine.top()


def append_all(machine: Machine, _: Any) -> None:
    """APPENDS and ADDITEMS."""
    machine.pop_mark()
    machine.top()


def as_text(data: bytes) -> Any:
    """The argument as a string."""
    return text(data)


def as_number(data: bytes) -> Any:
    """The argument as a number with a sign."""
    return int.from_bytes(data, "little", signed=True)


def signed(machine: Machine, value: int) -> None:
    """BININT: a number of four bytes with a sign."""
    machine.push(value - (1 << 32) if value >= 1 << 31 else value)
