"""Rules that judge a project before it is built: by what holds for every image that its Dockerfile could come to."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import TYPE_CHECKING, Any

from mooring.checks.dockerfile.prospect import told_steps
from mooring.checks.dockerfile.words import pairs
from mooring.checks.evidence import NotAsked, NotKnown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.dockerfile.prospect import Prospect, World
    from mooring.checks.dockerfile.reading import Dockerfile
    from mooring.checks.rule import Rule
    from mooring.contract import Finding

LEAVE_OUT = "known when the image is built: leave out --static"
NOT_BUILT = "the project was not built"
# What a Dockerfile settles by the settings it gives.
_SETTINGS = frozenset(
    {
        "CFG-IMG-06",
        "CFG-IMG-07",
        "IMG-ARCH-01",
        "IMG-BOOT-03",
        "IMG-ENV-02",
        "IMG-SECRET-01",
        "IMG-TERM-04",
        "IMG-USER-01",
    }
)
# What it settles where the whole way from CMD to the server can be read.
_COMMANDS = frozenset(
    {
        "IMG-BOOT-02",
        "IMG-BOOT-06",
        "IMG-DEV-01",
        "IMG-KEEP-02",
        "IMG-LOG-03",
        "IMG-PORT-01",
        "IMG-PORT-02",
        "IMG-TERM-03",
    }
)
# What it settles where the files it speaks of are certainly there.
_FILES = frozenset({"IMG-BOOT-01", "IMG-DIR-01", "IMG-USER-02"})
# What an ENTRYPOINT of the base may stand before, such as a proxy that is told another port.
_BEHIND_ENTRYPOINT = frozenset({"IMG-KEEP-02", "IMG-PORT-01", "IMG-PORT-02"})
# What it may break, and never keeps by itself: the base image has a part in it.
_NEVER_KEPT = frozenset({"CFG-IMG-01", "CFG-IMG-02", "CFG-IMG-03", "IMG-BOOT-04", "IMG-MNT-01", "IMG-SAFE-07"})
FORETOLD = _SETTINGS | _COMMANDS | _FILES | _NEVER_KEPT
_STEP = re.compile(r"step (\d+) of the history")


def foretold(rule: Rule) -> Rule:
    """The rule as it judges a prospect; the rule itself where only a build could tell, or nothing of it is needed.

    Its judge raises NotAsked or NotKnown where the images that a build could come to differ.
    """
    if rule.id not in FORETOLD:
        return rule
    names = [name for name in rule.needs if name not in ("image_config", "files")]

    def judge(prospect: Prospect, *given: Any) -> Iterator[Finding]:
        known = dict(zip(names, given, strict=True))
        common = _common(rule, prospect, known)
        if not common and not _keeps(rule, prospect, known):
            raise _unknown(prospect)
        return iter([_placed(rule, finding, prospect) for finding in common])

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(name, kind) for name in ("prospect", *names)])
    judge.__signature__ = signature  # type: ignore[attr-defined] # the evidence that it asks for, as rules say it
    return dataclasses.replace(rule, judge=judge)


def _unknown(prospect: Prospect) -> Exception:
    return NotAsked(LEAVE_OUT) if prospect.static else NotKnown(NOT_BUILT)


def _told(rule: Rule, world: World, known: dict[str, Any]) -> list[Finding]:
    evidence = {**known, "image_config": world.config, "files": world.files}
    return list(rule.judge(*(evidence[name] for name in rule.needs)))


def _common(rule: Rule, prospect: Prospect, known: dict[str, Any]) -> list[Finding]:
    """What is wrong with every image that a build could come to."""
    if rule.id in _BEHIND_ENTRYPOINT and not prospect.entrypoint_is_known:
        raise _unknown(prospect)
    try:
        told, other = (_told(rule, world, known) for world in prospect.worlds)
    except (NotAsked, NotKnown):
        raise _unknown(prospect) from None
    same = {_essence(rule, finding) for finding in other}
    return [finding for finding in told if _essence(rule, finding) in same]


def _essence(rule: Rule, finding: Finding) -> tuple[object, ...]:
    # What stands before CMD is told too, and may be the base's; that CMD names another file is wrong behind any.
    message = "" if rule.id == "IMG-BOOT-02" else finding.message
    return message, finding.source, finding.line, finding.column


def _keeps(rule: Rule, prospect: Prospect, known: dict[str, Any]) -> bool:
    """Whether every image that a build could come to keeps the rule; nothing common is wrong with them."""
    worlds = prospect.worlds
    if rule.id in _NEVER_KEPT or any(_told(rule, world, known) for world in worlds):
        return False
    if rule.id in _SETTINGS:
        return True
    clear = prospect.entrypoint_is_known and all(_is_clear(world) for world in worlds)
    if not clear and rule.id != "IMG-BOOT-01":
        return False
    if rule.id == "IMG-USER-02" and not prospect.user_is_known:
        return False
    return rule.id in _COMMANDS or not _told(rule, prospect.bare, known)


def _is_clear(world: World) -> bool:
    """Whether it is known to the end what is started, and by whom."""
    start = world.start
    return (
        bool(start.program)
        and not start.doubt
        and start.settled
        and all(step.gives_way is not None for step in start.shells)
    )


def _placed(rule: Rule, finding: Finding, prospect: Prospect) -> Finding:
    """With a file of the folder, or the Dockerfile and its line, in the place of what only the image has."""
    laid = prospect.laid.get(finding.source)
    if laid is not None:
        return dataclasses.replace(finding, source=str(prospect.folder / laid.sent.path))
    if not rule.id.startswith("IMG-"):
        return finding
    line = _line(finding.source, prospect.found)
    message = _STEP.sub(f"line {line} of the Dockerfile", finding.message)
    return dataclasses.replace(finding, message=message, source=str(prospect.folder / "Dockerfile"), line=line)


def _line(source: str, found: Dockerfile) -> int:
    """The line of the Dockerfile that settles what a finding names: an instruction, a variable, a step, a path."""
    if step := _STEP.search(source):
        return told_steps(found)[int(step[1]) - 1].line
    keyword, _, name = source.partition(" ")
    given = [each for each in reversed(found.instructions) if each.keyword == keyword]
    named = [each for each in given if name in dict(pairs(each.rest))] if name else given
    # What no line says: the base does, or whatever else starts the image, or what was copied last.
    others = {"CMD": "ENTRYPOINT"}.get(keyword, "COPY" if keyword.startswith("/") else "FROM")
    decided = next(iter(named or given), None) or found.last(others) or found.last("FROM")
    return decided.line if decided else 0
