"""What is told of the pickles in one file: at most one detection of each severity, with the names and the places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.scanning.detection import Detection, Severity
from mooring.checks.scanning.pickles.content import Collected, Content
from mooring.checks.scanning.pickles.policy import full_name, reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mooring.checks.scanning.pickles.policy import Policy

SHOWN = 12
SCANNER = "pickle"


class PickleScan:
    """One file, fed block by block; `finish` says what was found in it."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._collected = Collected()
        self._content = Content(self._collected)

    def feed(self, data: bytes) -> None:
        """So many more bytes."""
        self._content.feed(data)

    def finish(self) -> tuple[Detection, ...]:
        """Nothing more comes: the detections."""
        self._content.finish()
        if not self._collected.places and not self._collected.problems:
            return ()
        return (*self._malicious(), *self._suspicious(), *self._unreadable())

    def _names(self, severity: Severity) -> dict[str, str]:
        """Imported names of that severity, each with the place where it was seen first."""
        return {
            full_name(each.module, each.name): where
            for where, seen in reversed(self._collected.places.items())
            for each in (seen.imports | seen.doubtful if severity is Severity.MALICIOUS else seen.imports)
            if self._policy.severity(each) is severity
        }

    def _malicious(self) -> Iterator[Detection]:
        if names := self._names(Severity.MALICIOUS):
            detail = f"a pickle{_inside(names.values())} imports {_listed(names)}: loading it runs code"
            yield Detection(
                scanner=SCANNER,
                name="malicious-import",
                severity=Severity.MALICIOUS,
                detail=detail,
                names=tuple(names),
            )

    def _suspicious(self) -> Iterator[Detection]:
        if names := self._names(Severity.SUSPICIOUS):
            known = {name: f"{name}, which {why}" for name in names if (why := reason(name))}
            shown = _listed([known.get(name, name) for name in sorted(names, key=lambda name: name not in known)])
            detail = f"a pickle{_inside(names.values())} imports {shown}"
            yield Detection(
                scanner=SCANNER, name="unknown-import", severity=Severity.SUSPICIOUS, detail=detail, names=tuple(names)
            )
        for name, sentence in self._oddities():
            yield Detection(scanner=SCANNER, name=name, severity=Severity.SUSPICIOUS, detail=sentence)

    def _oddities(self) -> Iterator[tuple[str, str]]:
        for where, seen in self._collected.places.items():
            inside = _inside([where])
            if seen.unresolved:
                yield (
                    "hidden-import",
                    f"a pickle{inside} imports something whose name it makes up only when it is loaded",
                )
                return
            if seen.registered:
                yield "registered-import", f"a pickle{inside} imports something by a number of copyreg's registry"
                return
            if seen.patched:
                name = next(full_name(each.module, each.name) for each in seen.patched)
                yield "patched-import", f"a pickle{inside} changes {name} itself, for the whole program that loads it"
                return

    def _unreadable(self) -> Iterator[Detection]:
        broken = [(where, seen) for where, seen in self._collected.places.items() if seen.problem]
        for where, seen in broken[:1]:
            names = tuple(full_name(each.module, each.name) for each in seen.imports)
            so_far = f"; until there it imports {_listed(names)}" if names else ""
            detail = f"a pickle{_inside([where])} could not be followed: {seen.problem}{so_far}"
            yield Detection(scanner=SCANNER, name="broken", severity=Severity.UNREADABLE, detail=detail, names=names)
        for problem, name in self._collected.problems.items():
            yield Detection(scanner=SCANNER, name=name, severity=Severity.UNREADABLE, detail=problem)


def _inside(places: Iterable[str]) -> str:
    """` (in archive/data.pkl)`, of the first place that is not the file itself; "" when there is none."""
    named = [place for place in places if place]
    return f" (in {named[0]})" if named else ""


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more
