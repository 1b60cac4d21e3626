"""Every opcode of a pickle, protocols 0 to 5: how its argument is read, and what it does to the machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mooring.checks.scanning.pickles.machine import GETATTR, MARK, MOST_ITEMS, Broken, Machine, Made
from mooring.checks.scanning.pickles.reading import OPAQUE, counted, fixed, line, text, two_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.checks.scanning.pickles.reading import Read

    Act = Callable[[Machine, Any], None]


# What a string of the oldest protocol may escape: undone here, for it could hide a name.
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|[\\'\"abfnrtv\n])")
_ESCAPES = dict(zip((bytes([c]) for c in b"abfnrtv\n"), (bytes([c]) for c in b"\a\b\f\n\r\t\v"), strict=False)) | {
    b"\n": b""
}
LATEST_PROTOCOL = 5


def _push(machine: Machine, value: Any) -> None:
    machine.push(value)


def _opaque(machine: Machine, _: Any) -> None:
    machine.push(OPAQUE)


def _pushes(value: Any) -> Act:
    return lambda machine, _: machine.push(value)


def _nothing(_machine: Machine, _argument: Any) -> None:
    pass


def _protocol(_machine: Machine, version: int) -> None:
    if version > LATEST_PROTOCOL:
        raise Broken(f"it is of protocol {version}, and the latest known is {LATEST_PROTOCOL}")


def _stop(machine: Machine, _: Any) -> None:
    machine.pop()
    machine.stopped = True


def _pop(machine: Machine, _: Any) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.missing()


def _pop_mark(machine: Machine, _: Any) -> None:
    machine.pop_mark()


def _duplicate(machine: Machine, _: Any) -> None:
    value = machine.top()
    machine.getters += value is GETATTR
    machine.push(value)


def _number(machine: Machine, argument: Any) -> None:
    """INT and LONG: a number in decimal, or the booleans of old."""
    try:
        value: Any = int(argument.rstrip(b"L\r\0 "), 0 if argument[:1] != b"0" else 10)
    except (AttributeError, ValueError):
        value = machine.missing()
    machine.push(value)


def _real(machine: Machine, argument: Any) -> None:
    try:
        float(argument)
    except (TypeError, ValueError):
        machine.missing()
    machine.push(OPAQUE)


def _quoted(machine: Machine, argument: Any) -> None:
    """STRING: a Python literal of old; escapes are undone, for they could hide a name."""
    if argument is OPAQUE:
        machine.push(OPAQUE)
        return
    argument = argument.strip()
    if len(argument) < 2 or argument[:1] != argument[-1:] or argument[:1] not in b"'\"":  # noqa: PLR2004 - two quotes
        machine.missing()
    machine.push(text(_ESCAPE.sub(_unescaped, argument[1:-1])))


def _unicode(machine: Machine, argument: Any) -> None:
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


def _get(machine: Machine, argument: Any) -> None:
    machine.recall(_index(machine, argument))


def _put(machine: Machine, argument: Any) -> None:
    machine.remember(_index(machine, argument))


def _index(machine: Machine, argument: Any) -> int:
    try:
        return int(argument)
    except (TypeError, ValueError):
        machine.missing()
        return -1


def _memoise(machine: Machine, _: Any) -> None:
    machine.remember(len(machine.memo))


def _global(machine: Machine, argument: Any) -> None:
    if argument is OPAQUE:
        raise Broken("it imports something with a name that is too long to be one")
    machine.imported(*argument)


def _stack_global(machine: Machine, _: Any) -> None:
    name = machine.pop()
    machine.imported(machine.pop(), name)


def _instance(machine: Machine, argument: Any) -> None:
    """INST: import, and call with what is above the mark."""
    machine.pop_mark()
    _global(machine, argument)
    machine.made(machine.pop(), OPAQUE)


def _object(machine: Machine, _: Any) -> None:
    """OBJ: the class is the first thing above the mark."""
    items = machine.pop_mark()
    machine.made(items[0] if items else machine.missing(), OPAQUE)


def _call(machine: Machine, _: Any) -> None:
    arguments = machine.pop()
    maker = machine.pop()
    if machine.strict and arguments is not OPAQUE and not isinstance(arguments, tuple):
        raise Broken("it calls with what are no arguments")
    machine.made(maker, arguments)


def _call_with_keywords(machine: Machine, _: Any) -> None:
    machine.pop()
    _call(machine, None)


def _build(machine: Machine, _: Any) -> None:
    machine.built(machine.pop())


def _extension(machine: Machine, _: Any) -> None:
    machine.registered += 1
    machine.push(Made(OPAQUE))


def _persistent(machine: Machine, _: Any) -> None:
    machine.pop()
    machine.push(OPAQUE)


def _tuple(size: int) -> Act:
    def act(machine: Machine, _: Any) -> None:
        items = [machine.pop() for _ in range(size)]
        machine.push(tuple(reversed(items)))

    return act


def _marked_tuple(machine: Machine, _: Any) -> None:
    items = machine.pop_mark()
    machine.push(tuple(items) if len(items) <= MOST_ITEMS else OPAQUE)


def _collection(machine: Machine, _: Any) -> None:
    machine.pop_mark()
    machine.push(OPAQUE)


def _empty_dict(machine: Machine, _: Any) -> None:
    machine.push({})


def _marked_dict(machine: Machine, _: Any) -> None:
    items = machine.pop_mark()
    machine.push({})
    _fill(machine.top(), items)


def _set_item(machine: Machine, _: Any) -> None:
    value = machine.pop()
    _fill(machine.top(), [machine.pop(), value]) if not machine.stack else _set_on_top(machine, value)


def _set_on_top(machine: Machine, value: Any) -> None:
    key = machine.pop()
    _fill(machine.top(), [key, value])


def _set_items(machine: Machine, _: Any) -> None:
    items = machine.pop_mark()
    _fill(machine.top(), items)


def _fill(target: Any, items: list[Any]) -> None:
    """Only what is small and named is ever asked for again: the state of an array's wrapper."""
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str) and len(target) < MOST_ITEMS:
                target[key] = value


def _append(machine: Machine, _: Any) -> None:
    machine.pop()
    machine.top()


def _append_all(machine: Machine, _: Any) -> None:
    machine.pop_mark()
    machine.top()


def _text(data: bytes) -> Any:
    return text(data)


def _little(data: bytes) -> Any:
    return int.from_bytes(data, "little", signed=True)


def _signed(machine: Machine, value: int) -> None:
    machine.push(value - (1 << 32) if value >= 1 << 31 else value)


OPCODES: dict[int, tuple[Read | None, Act]] = {
    ord("("): (None, _pushes(MARK)),
    ord("."): (None, _stop),
    ord("0"): (None, _pop),
    ord("1"): (None, _pop_mark),
    ord("2"): (None, _duplicate),
    ord("F"): (line, _real),
    ord("I"): (line, _number),
    ord("L"): (line, _number),
    ord("S"): (line, _quoted),
    ord("V"): (line, _unicode),
    ord("P"): (line, _opaque),
    ord("g"): (line, _get),
    ord("p"): (line, _put),
    ord("c"): (two_lines, _global),
    ord("i"): (two_lines, _instance),
    ord("J"): (fixed(4), _signed),
    ord("K"): (fixed(1), _push),
    ord("M"): (fixed(2), _push),
    ord("G"): (fixed(8), _opaque),
    ord("N"): (None, _pushes(None)),
    ord("Q"): (None, _persistent),
    ord("R"): (None, _call),
    ord("T"): (counted(4, _text), _push),
    ord("U"): (counted(1, _text), _push),
    ord("X"): (counted(4, _text), _push),
    ord("B"): (counted(4), _opaque),
    ord("C"): (counted(1), _opaque),
    ord("a"): (None, _append),
    ord("b"): (None, _build),
    ord("d"): (None, _marked_dict),
    ord("}"): (None, _empty_dict),
    ord("e"): (None, _append_all),
    ord("h"): (fixed(1), _get),
    ord("j"): (fixed(4), _get),
    ord("l"): (None, _collection),
    ord("]"): (None, _opaque),
    ord("o"): (None, _object),
    ord("q"): (fixed(1), _put),
    ord("r"): (fixed(4), _put),
    ord("s"): (None, _set_item),
    ord("t"): (None, _marked_tuple),
    ord(")"): (None, _pushes(())),
    ord("u"): (None, _set_items),
    0x80: (fixed(1), _protocol),
    0x81: (None, _call),
    0x82: (fixed(1), _extension),
    0x83: (fixed(2), _extension),
    0x84: (fixed(4), _extension),
    0x85: (None, _tuple(1)),
    0x86: (None, _tuple(2)),
    0x87: (None, _tuple(3)),
    0x88: (None, _pushes(True)),
    0x89: (None, _pushes(False)),
    0x8A: (counted(1, _little), _push),
    0x8B: (counted(4, _little), _push),
    0x8C: (counted(1, _text), _push),
    0x8D: (counted(8, _text), _push),
    0x8E: (counted(8), _opaque),
    0x8F: (None, _opaque),
    0x90: (None, _append_all),
    0x91: (None, _collection),
    0x92: (None, _call_with_keywords),
    0x93: (None, _stack_global),
    0x94: (None, _memoise),
    0x95: (fixed(8), _nothing),
    0x96: (counted(8), _opaque),
    0x97: (None, _opaque),
    0x98: (None, _nothing),
}
# Those whose argument is one line, however long.
LINES = frozenset(opcode for opcode, (read, _) in OPCODES.items() if read is line)
