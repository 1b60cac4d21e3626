"""Pickles followed as their bytes come by: one after another, arrays between them passed over, nothing held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.scanning.pickles.arrays import OBJECTS, array_bytes, is_aligned
from mooring.checks.scanning.pickles.machine import Broken, Global, Machine, is_plausible
from mooring.checks.scanning.pickles.opcodes import LINES, OPCODES
from mooring.checks.scanning.pickles.reading import OPAQUE

if TYPE_CHECKING:
    from mooring.checks.scanning.pickles.unpacking import Budget

PROTO = 0x80
# Of all pickles in one file together: some ten seconds.
MOST_STEPS = 20_000_000
MOST_DEPTH, MOST_FORKS = 50, 4096
# So many opcodes in a row are no accident: what begins so and then breaks off is a broken pickle, not other data.
STEPS_THAT_PROVE = 8
_TASTE = 512


@dataclass(slots=True)
class Seen:
    """What pickles would do when loaded; `problem` says why one could not be followed to its end.

    `doubtful` are imports of another reading of the same bytes, where there is one: they count only if they are
    malicious, for most of them are never meant.
    """

    imports: dict[Global, None] = field(default_factory=dict)
    doubtful: dict[Global, None] = field(default_factory=dict)
    patched: dict[Global, None] = field(default_factory=dict)
    unresolved: int = 0
    registered: int = 0
    problem: str = ""

    def add(self, other: Seen | Machine) -> None:
        """Join what another pickle does."""
        self.imports |= other.imports
        self.patched |= other.patched
        self.unresolved += other.unresolved
        self.registered += other.registered
        if isinstance(other, Seen):
            self.doubtful |= other.doubtful
            self.problem = self.problem or other.problem


class Walker:
    """Fed with the bytes from where a pickle may begin; `alive` until it knows that nothing more can follow.

    What counts as a pickle: what begins with the PROTO opcode and imports something, or goes on for some opcodes; and
    what begins with any other opcode, as the protocols 0 and 1 do, only if it calls something that it imported without
    ever lacking a value, for a text may begin like that too. `seen` is empty as long as nothing counts.
    """

    def __init__(self, budget: Budget, machine: Machine | None = None, *, skip: int = 0) -> None:
        self.alive = True
        self.seen = Seen()
        self._machine = machine
        self._is_fork = machine is not None
        self._outer: list[Machine] = []
        self._forks: list[Walker] = []
        self._rest = b""
        self._skip = skip
        self._array = -1
        self._to_line_end = False
        self._steps = 0
        self._budget = budget

    def feed(self, data: bytes) -> None:
        """Follow so many more bytes; of any number."""
        if self._forks:
            self._feed_forks(data)
        if not self.alive:
            return
        if self._skip >= len(data):
            self._skip -= len(data)
            return
        buffer = self._rest + data if self._rest else data
        at, self._skip, self._rest = self._skip, 0, b""
        try:
            while at < len(buffer) and self.alive:
                at = self._follow(buffer, at)
        except Broken as why:
            self._end(str(why))
        self._skip = max(0, at - len(buffer))

    def finish(self) -> None:
        """Nothing more comes."""
        for fork in self._forks:
            fork.finish()
            self._doubt(fork.seen)
        self._forks = []
        if self.alive:
            self._end("it ends before it is complete" if self._machine is not None else "")

    def _feed_forks(self, data: bytes) -> None:
        for fork in self._forks:
            fork.feed(data)
            self._doubt(fork.seen)
        self._forks = [fork for fork in self._forks if fork.alive]

    def _doubt(self, seen: Seen) -> None:
        self.seen.doubtful |= seen.imports | seen.doubtful

    def _follow(self, buffer: bytes, at: int) -> int:
        """One stretch: until the buffer is used up, or something else than an opcode comes. Where the next begins."""
        if self._to_line_end:
            end = buffer.find(b"\n", at)
            self._to_line_end = end < 0
            return len(buffer) if end < 0 else end + 1
        if self._array >= 0:
            size, self._array = self._array, -1
            return at + 1 + buffer[at] + size
        if self._machine is None:
            self._machine, self._steps = Machine(strict=buffer[at] != PROTO), 0
        at = self._run(self._machine, buffer, at)
        if self._machine.stopped:
            self._stop(self._machine)
        elif self._machine.wrapper is not None:
            return self._wrapped(self._machine, buffer, at)
        return at

    def _run(self, machine: Machine, buffer: bytes, at: int) -> int:
        """Follow opcodes up to where something else comes; keep the last one back if its argument is not all there."""
        end, steps, opcodes = len(buffer), 0, OPCODES
        try:
            while at < end:
                read, act = opcodes[buffer[at]]
                steps += 1
                if read is None:
                    at += 1
                    act(machine, None)
                    if machine.stopped or machine.wrapper is not None:
                        break
                    continue
                got = read(buffer, at + 1)
                if got is None:
                    self._rest = buffer[at:]
                    return end
                self._to_line_end = got[0] is OPAQUE and buffer[at] in LINES
                at = got[1]
                act(machine, got[0])
                if self._to_line_end:
                    break
        except KeyError:
            raise Broken(f"it has an opcode that does not exist (0x{buffer[at]:02x})") from None
        finally:
            self._steps += steps
            self._budget.steps += steps
        if self._budget.steps > MOST_STEPS:
            raise Broken(f"it has more than {MOST_STEPS:,} steps")
        return at

    def _wrapped(self, machine: Machine, buffer: bytes, at: int) -> int:
        """An array that joblib wrote follows; for a plain unpickler it would be opcodes, so it is read as such too."""
        wrapper, machine.wrapper = machine.wrapper, None
        fork = Walker(self._budget, machine.fork())
        fork.feed(buffer[at : at + _TASTE])
        if fork.alive and len(buffer) > at + _TASTE:
            fork.feed(buffer[at + _TASTE :])
        self._doubt(fork.seen)
        if fork.alive:
            self._forks.append(fork)
        if len(self._forks) > MOST_FORKS:
            raise Broken("too many arrays in it may be read in two ways")
        size = array_bytes(wrapper) if wrapper is not None else None
        if size is None or len(self._outer) >= MOST_DEPTH:
            raise Broken("an array whose size cannot be known lies in it")
        if size == OBJECTS:
            self._outer.append(machine)
            self._machine = Machine()
            return at
        if wrapper is not None and is_aligned(wrapper):
            self._array = size
            return at
        return at + size

    def _stop(self, machine: Machine) -> None:
        self._keep(machine)
        self._machine = self._outer.pop() if self._outer else None
        # What comes behind the end of a fork belongs to the pickle that it left.
        self.alive = not (self._is_fork and self._machine is None)

    def _keep(self, machine: Machine) -> bool:
        """Take over what one pickle does, if it is one."""
        machine.settle()
        acts = bool(machine.imports or machine.unresolved or machine.registered)
        if machine.strict:
            proven = acts and bool(machine.called or machine.patched)
        else:
            named = any(is_plausible(each) for each in machine.imports)
            proven = named or self._steps >= STEPS_THAT_PROVE or (acts and machine.stopped)
        if proven:
            self.seen.add(machine)
        return proven

    def _end(self, problem: str) -> None:
        self.alive = False
        machines = [*self._outer, *([self._machine] if self._machine else [])]
        proven = [self._keep(machine) for machine in machines]
        if problem and any(proven):
            self.seen.problem = self.seen.problem or problem
