"""Pickles wherever they hide in one stream of bytes: at its start, behind headers, in members, in compressed data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mooring.checks.scanning.pickles.members import OVERLAP, PLAIN, SIGNATURE, Incomplete, Member, headers, member_at
from mooring.checks.scanning.pickles.unpacking import (
    DEFLATED,
    FOREIGN_METHODS,
    ZIP_METHODS,
    Bomb,
    Budget,
    Damaged,
    Decompressor,
    opener,
    taste,
    unpacked,
)
from mooring.checks.scanning.pickles.walker import PROTO, Seen, Walker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOSED, EXHAUSTING = "closed", "exhausting"
DEEPEST = 4
# Many look like pickles by accident, with a payload to pass over; what they cost is bounded by their steps.
MOST_AT_A_TIME = 4096
MOST_PLACES = 200
# More a file of this kind has only to keep its readers busy.
MOST_MEMBERS = 200_000
_HEAD = 1024
_SLICE = 1 << 16
_LONGEST_HEADER = 140_000
_NPY = b"\x93NUMPY"


@dataclass(slots=True)
class Collected:
    """What the pickles of one file do, by where they stand in it: "" for the file itself.

    `problems` say what was not seen and why, and whether it is only CLOSED or made for EXHAUSTING whoever looks.
    """

    places: dict[str, Seen] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    members: int = 0

    def add(self, where: str, seen: Seen) -> None:
        """Join what one walker saw; beyond some number of places, all the others count as one."""
        if seen.imports or seen.doubtful or seen.unresolved or seen.registered or seen.problem:
            place = where if where in self.places or len(self.places) < MOST_PLACES else "others"
            self.places.setdefault(place, Seen()).add(seen)


class Watcher(Protocol):
    """Whatever is fed with bytes and may lose interest."""

    alive: bool

    def feed(self, data: bytes) -> None:
        """So many more bytes."""

    def finish(self) -> None:
        """Nothing more comes."""


class Content:
    """A stream of bytes, fed block by block, of any size; what it holds goes to `collected`."""

    def __init__(self, collected: Collected, *, where: str = "", depth: int = 0) -> None:
        self.alive = True
        self._collected, self._where, self._depth = collected, where, depth
        self._watchers: list[tuple[str, Watcher]] = []
        self._carry = b""
        self._searched = 0
        self._begun = False

    def feed(self, data: bytes) -> None:
        """So many more bytes."""
        if self._depth == 0:
            self._collected.budget.read += len(data)
        if self._watchers:
            self._pass_on(data)
        self._search(self._carry + data if self._carry else data, last=False)

    def finish(self) -> None:
        """Nothing more comes."""
        self._search(self._carry, last=True)
        for where, watcher in self._watchers:
            watcher.finish()
            self._ended(where, watcher)
        self._watchers = []
        self.alive = False

    def _pass_on(self, data: bytes) -> None:
        for where, watcher in self._watchers:
            watcher.feed(data)
            if not watcher.alive:
                self._ended(where, watcher)
        self._watchers = [each for each in self._watchers if each[1].alive]

    def _ended(self, where: str, watcher: Watcher) -> None:
        if isinstance(watcher, Walker):
            self._collected.add(where, watcher.seen)

    def _search(self, window: bytes, *, last: bool) -> None:
        """Begin whatever begins in the window; keep of it what may be the beginning of something."""
        keep = max(0, len(window) - OVERLAP)
        if not self._begun and (last or len(window) >= _HEAD):
            self._begun = True
            self._begin(window, Member(0, ""))
        searched = max(self._searched, len(window) - SIGNATURE)
        for at in headers(window, self._searched):
            member = member_at(window, at)
            if member is None:
                continue
            cut = isinstance(member, Incomplete) or len(window) < member.start + _HEAD
            if cut and not last and len(window) - at < _LONGEST_HEADER:
                keep, searched = min(keep, max(0, at - OVERLAP)), at
                break
            if isinstance(member, Member) and self._may_begin():
                self._begin(window, member)
        if not self._begun:
            keep, searched = 0, self._searched
        self._carry, self._searched = window[keep:], max(0, searched - keep)

    def _may_begin(self) -> bool:
        self._collected.members += 1
        if self._collected.members > MOST_MEMBERS:
            self._collected.problems[f"it has more than {MOST_MEMBERS:,} members; the others were not looked at"] = (
                EXHAUSTING
            )
        return self._collected.members <= MOST_MEMBERS

    def _begin(self, window: bytes, member: Member) -> None:
        """Watch from where a member's data begins, as everything that it may be."""
        where = " > ".join(part for part in (self._where, member.name) if part)
        if member.encrypted:
            self._collected.problems["members of an archive in it are encrypted"] = CLOSED
        head = window[member.start : member.start + _HEAD]
        for watcher in self._candidates(where, head, member.method):
            if len(self._watchers) >= MOST_AT_A_TIME:
                self._collected.problems[f"more than {MOST_AT_A_TIME} members overlap in it"] = EXHAUSTING
                return
            _feed(watcher, window, member.start)
            if watcher.alive:
                self._watchers.append((where, watcher))
            else:
                self._ended(where, watcher)

    def _candidates(self, where: str, head: bytes, method: int) -> Iterator[Watcher]:
        if start := _npy_header(head):
            yield Walker(self._collected.budget, skip=start)
        elif head and (head[0] == PROTO or may_be_pickle(head)):
            yield Walker(self._collected.budget)
        for make in self._openers(head, method):
            inner = taste(make(), head, _HEAD)
            if not is_worth_a_look(inner):
                continue
            if self._depth >= DEEPEST:
                self._collected.problems[f"archives lie more than {DEEPEST} deep in it"] = CLOSED
                return
            yield Unpacked(make, Content(self._collected, where=where, depth=self._depth + 1), self._collected)

    def _openers(self, head: bytes, method: int) -> Iterator[Callable[[], Decompressor]]:
        """How it may be compressed: as its first bytes say, as the archive does, or as another reader might think."""
        if make := opener(head):
            yield make
        if method != PLAIN:
            yield ZIP_METHODS[DEFLATED]
        if method in ZIP_METHODS and method != DEFLATED:
            yield ZIP_METHODS[method]
        if method in FOREIGN_METHODS:
            problem = f"members of an archive in it are compressed by a method that cannot be undone ({method})"
            self._collected.problems[problem] = CLOSED


class Unpacked:
    """Compressed bytes, unpacked into a content of their own; several compressed streams in a row are one."""

    def __init__(self, make: Callable[[], Decompressor], content: Content, collected: Collected) -> None:
        self.alive = True
        self._make, self._content, self._collected = make, content, collected
        self._inner = make()

    def feed(self, data: bytes) -> None:
        """So many more compressed bytes."""
        try:
            while data and self.alive:
                for piece in unpacked(self._inner, data, self._collected.budget):
                    self._content.feed(piece)
                if not self._inner.eof:
                    return
                data, self._inner = self._inner.unused_data, self._make()
        except Damaged:
            self.finish()
        except Bomb:
            self._collected.problems["it unpacks to far more than its size; what lies behind was not looked at"] = (
                EXHAUSTING
            )
            self.finish()

    def finish(self) -> None:
        """Nothing more comes."""
        if self.alive:
            self.alive = False
            self._content.finish()


def _feed(watcher: Watcher, window: bytes, start: int) -> None:
    """All from `start` on, in slices: most lose interest at once, and a copy of everything for each would cost."""
    for at in range(start, len(window), _SLICE):
        watcher.feed(window[at : at + _SLICE])
        if not watcher.alive:
            return


def may_be_pickle(head: bytes) -> bool:
    """Whether a pickle may begin so: its opcodes can be followed to the end of these bytes, or do something."""
    walker = Walker(Budget())
    walker.feed(head)
    return walker.alive or bool(walker.seen.imports or walker.seen.problem or walker.seen.unresolved)


def is_worth_a_look(head: bytes) -> bool:
    """Whether something begins so that may be, or hold, a pickle."""
    return (
        head.startswith((_NPY, b"PK\x03\x04", b"PK\x05\x06"))
        or head[257:262] == b"ustar"
        or opener(head) is not None
        or (bool(head) and may_be_pickle(head))
    )


def _npy_header(head: bytes) -> int:
    """Where the data of an .npy file begins; 0 for other files."""
    if not head.startswith(_NPY) or len(head) < 12:  # noqa: PLR2004 - magic, version, length of the header
        return 0
    width = 2 if head[6] == 1 else 4
    return 8 + width + int.from_bytes(head[8 : 8 + width], "little")
