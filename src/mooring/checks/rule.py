"""A rule: one judgement about one subject; and the catalogue of all there are."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mooring.checks.wish import Kind, Wish
from mooring.contract import Level
from mooring.contract.names import did_you_mean
from mooring.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mooring.contract import Finding
    from mooring.contract.fact import Fact

    Judge = Callable[..., Iterator[Finding]]

# Evidence that only a running container or server gives, in the order in which a trial can tell it.
RUNNING = ("start", "health", "calls", "bodies", "repeats", "growth", "idle", "logs", "ending", "boot")
MUST, SHOULD, INFO = Level.MUST, Level.SHOULD, Level.INFO
REAL_TIME, BATCH, BOTH = Kind.REAL_TIME, Kind.BATCH, Kind.BOTH


class Example:
    """Evidence that a rule passes or fails, and what of it the docs print: a line of a Dockerfile, a sentence."""

    def __init__(self, shown: str, **evidence: Any) -> None:
        self.shown = shown
        self.evidence: Mapping[str, Any] = evidence


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One judgement: pure over the evidence that its judge's parameters name.

    `level` is the weight of its findings; `rolling` the weight when the image must bear an upgrade without
    interruption (None: the same); `kind` the services it concerns. `facts` are the facts of the edition it reads: where
    the edition is silent on one that it cannot do without, the rule is skipped.
    """

    id: str
    title: str
    why: str
    remedy: str
    level: Level
    rolling: Level | None = None
    kind: Kind = BOTH
    facts: tuple[Fact[Any], ...] = ()
    good: tuple[Example, ...] = field(default=(), repr=False)
    bad: tuple[Example, ...] = field(default=(), repr=False)
    judge: Judge = field(repr=False)

    @functools.cached_property
    def needs(self) -> tuple[str, ...]:
        """The names of the evidence it asks for."""
        return tuple(inspect.signature(self.judge).parameters)

    @property
    def runs(self) -> bool:
        """Whether it judges what only a running container shows."""
        return any(name in RUNNING for name in self.needs)

    def level_for(self, wish: Wish) -> Level:
        """What its findings weigh for that wish."""
        return self.rolling if self.rolling is not None and wish.rolling_upgrade else self.level


def rule(  # noqa: PLR0913 - a rule has these parts, and they are named where it is written
    name: str,
    *,
    level: Level,
    rolling: Level | None = None,
    kind: Kind = BOTH,
    facts: tuple[Fact[Any], ...] = (),
    good: tuple[Example, ...] = (),
    bad: tuple[Example, ...] = (),
) -> Callable[[Judge], Rule]:
    """Make a rule of a judge. Its module's docstring has three parts: what the rule says; why; what to do."""

    def made(judge: Judge) -> Rule:
        title, why, remedy = _parts(importlib.import_module(judge.__module__).__doc__ or judge.__doc__ or "")
        return Rule(
            id=name,
            title=title,
            why=why,
            remedy=remedy,
            level=level,
            rolling=rolling,
            kind=kind,
            facts=facts,
            good=good,
            bad=bad,
            judge=judge,
        )

    return made


def _parts(text: str) -> tuple[str, str, str]:
    paragraphs = [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n")]
    title, *middle = paragraphs
    return title.removesuffix("."), "\n\n".join(middle[:-1]), middle[-1] if middle else ""


@functools.cache
def catalogue() -> tuple[Rule, ...]:
    """Every rule there is, by id: whatever stands in the modules of `mooring.checks.rules`, alone or in a tuple."""
    package = importlib.import_module("mooring.checks.rules")
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Rule) and found.setdefault(one.id, one) is not one:
                    raise ValueError(f"two rules are called {one.id}")
    return tuple(found[name] for name in sorted(found))


def rule_named(name: str) -> Rule:
    """The rule of that id, whatever its case. NotFound, with the nearest, if there is none."""
    known = {one.id: one for one in catalogue()}
    if name.upper() not in known:
        raise NotFound(
            f"there is no rule {name!r}", hint=did_you_mean(name.upper(), known) or "mooring rules lists them all"
        )
    return known[name.upper()]
