"""Every opcode of a pickle, protocols 0 to 5: how its argument is read, and what it does to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.scanning.pickles import acts
from mooring.checks.scanning.pickles.machine import MARK
from mooring.checks.scanning.pickles.reading import counted, fixed, line, two_lines

if TYPE_CHECKING:
    from mooring.checks.scanning.pickles.acts import Act
    from mooring.checks.scanning.pickles.reading import Read

OPCODES: dict[int, tuple[Read | None, Act]] = {
    ord("("): (None, acts.pushes(MARK)),
    ord("."): (None, acts.stop),
    ord("0"): (None, acts.pop),
    ord("1"): (None, acts.pop_mark),
    ord("2"): (None, acts.duplicate),
    ord("F"): (line, acts.real),
    ord("I"): (line, acts.number),
    ord("L"): (line, acts.number),
    ord("S"): (line, acts.quoted),
    ord("V"): (line, acts.unicode),
    ord("P"): (line, acts.opaque),
    ord("g"): (line, acts.get),
    ord("p"): (line, acts.put),
    ord("c"): (two_lines, acts.global_),
    ord("i"): (two_lines, acts.instance),
    ord("J"): (fixed(4), acts.signed),
    ord("K"): (fixed(1), acts.push),
    ord("M"): (fixed(2), acts.push),
    ord("G"): (fixed(8), acts.opaque),
    ord("N"): (None, acts.pushes(None)),
    ord("Q"): (None, acts.persistent),
    ord("R"): (None, acts.call),
    ord("T"): (counted(4, acts.as_text), acts.push),
    ord("U"): (counted(1, acts.as_text), acts.push),
    ord("X"): (counted(4, acts.as_text), acts.push),
    ord("B"): (counted(4), acts.opaque),
    ord("C"): (counted(1), acts.opaque),
    ord("a"): (None, acts.append),
    ord("b"): (None, acts.build),
    ord("d"): (None, acts.marked_dict),
    ord("}"): (None, acts.empty_dict),
    ord("e"): (None, acts.append_all),
    ord("h"): (fixed(1), acts.get),
    ord("j"): (fixed(4), acts.get),
    ord("l"): (None, acts.collection),
    ord("]"): (None, acts.opaque),
    ord("o"): (None, acts.object_),
    ord("q"): (fixed(1), acts.put),
    ord("r"): (fixed(4), acts.put),
    ord("s"): (None, acts.set_item),
    ord("t"): (None, acts.marked_tuple),
    ord(")"): (None, acts.pushes(())),
    ord("u"): (None, acts.set_items),
    0x80: (fixed(1), acts.protocol),
    0x81: (None, acts.call),
    0x82: (fixed(1), acts.extension),
    0x83: (fixed(2), acts.extension),
    0x84: (fixed(4), acts.extension),
    0x85: (None, acts.tuple_of(1)),
    0x86: (None, acts.tuple_of(2)),
    0x87: (None, acts.tuple_of(3)),
    0x88: (None, acts.pushes(True)),
    0x89: (None, acts.pushes(False)),
    0x8A: (counted(1, acts.as_number), acts.push),
    0x8B: (counted(4, acts.as_number), acts.push),
    0x8C: (counted(1, acts.as_text), acts.push),
    0x8D: (counted(8, acts.as_text), acts.push),
    0x8E: (counted(8), acts.opaque),
    0x8F: (None, acts.opaque),
    0x90: (None, acts.append_all),
    0x91: (None, acts.collection),
    0x92: (None, acts.call_with_keywords),
    0x93: (None, acts.stack_global),
    0x94: (None, acts.memoise),
    0x95: (fixed(8), acts.nothing),
    0x96: (counted(8), acts.opaque),
    0x97: (None, acts.opaque),
    0x98: (None, acts.nothing),
}
# Those whose argument is one line, however long.
LINES = frozenset(opcode for opcode, (read, _) in OPCODES.items() if read is line)
