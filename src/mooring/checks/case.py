"""One check from end to end: a subject, an edition and a wish become evidence, results and a report."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mooring.checks.config_source import search, the_config
from mooring.checks.dockerfile.foretelling import LEAVE_OUT, NOT_BUILT, foretold
from mooring.checks.evidence import Evidence, NotAsked, NotKnown
from mooring.checks.report import Report, Result, Status, Subject
from mooring.checks.rule import RUNNING, catalogue
from mooring.checks.run import results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mooring.checks.config_source import ConfigSearch
    from mooring.checks.dockerfile.prospect import Prospect
    from mooring.checks.mending import Change
    from mooring.checks.rule import Rule
    from mooring.checks.scanning import Antivirus
    from mooring.checks.trial import ServerTrial, Trial
    from mooring.checks.wish import Wish
    from mooring.contract import Edition, ModelConfig
    from mooring.image import Filesystem, Image, ImageConfig
    from mooring.image.filesystem import Note

    # Makes the trial of a subject whose config.json is known by then, or known not to be there.
    StartTrial = Callable[[ModelConfig | None], contextlib.AbstractContextManager[Trial | ServerTrial]]

NOT_PROOF = (
    "no scan proves that an image is free of malicious code: it finds what is known, not what is new; "
    "take models from people you trust"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is to be judged, and how each part of it can be looked at; what is None, the subject does not have.

    `read` is the one pass over an image's files; `scan` the files of a project that was not built, `prospect` what its
    own Dockerfile will make of them; `antivirus` tells how asking clamd went in either. `start_trial` runs it;
    `why_not_run` says why that is None. `found` hears of each result, `doing` of what takes its time.
    """

    subject: Subject
    edition: Edition
    wish: Wish
    image: Image | None = None
    image_config: ImageConfig | None = None
    read: Callable[[], Filesystem] | None = None
    scan: Callable[[], tuple[Note, ...]] | None = None
    prospect: Callable[[], Prospect] | None = None
    antivirus: Callable[[], Antivirus | None] | None = None
    changes: Callable[[], tuple[Change, ...]] | None = None
    config: Path | None = None
    start_trial: StartTrial | None = None
    why_not_run: str = ""
    doing: Callable[[str], None] = field(default=lambda _: None)


def check(case: Case) -> Report:
    """Judge by every rule and add it up; what was started for it has ended when this returns, however it does.

    Raises:
        Invalid: the subject, or the config.json that was given, cannot be read; there is nothing to report then.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        evidence = Evidence(_Suppliers(case, stack).by_name())
        case.doing("reading the image" if case.image else "looking")
        rules = _ordered(catalogue())
        found = results(map(foretold, rules) if case.prospect else rules, evidence, case.wish)
        described = _described(case, evidence)
        remarks = tuple(_remarks(evidence, found))
    return Report(
        subject=described,
        edition=case.edition.name,
        wish=case.wish,
        results=tuple(sorted(found, key=lambda result: result.rule.id)),
        remarks=remarks,
        seconds=time.monotonic() - began,
    )


def _ordered(every: tuple[Rule, ...]) -> list[Rule]:
    """What needs no container first: who made a mistake there hears of it without waiting."""
    return sorted(every, key=lambda rule: (rule.runs, rule.id))


class _Suppliers:
    """How each piece of evidence is come by for one case."""

    def __init__(self, case: Case, stack: contextlib.ExitStack) -> None:
        self._case = case
        self._stack = stack
        self._pieces = Evidence(
            {"files": self.files, "config_search": self.config_search, "trial": self.trial},
        )

    def by_name(self) -> Mapping[str, Callable[[], Any]]:
        case = self._case
        return {
            "edition": lambda: case.edition,
            "wish": lambda: case.wish,
            "subject": lambda: case.subject,
            "image": self.image,
            "image_config": self.image_config,
            "files": lambda: self._pieces["files"],
            "detections": self.detections,
            "steps": self.steps,
            "antivirus": self.antivirus,
            "changes": self.changes,
            **({"prospect": case.prospect} if case.prospect else {}),
            "config_search": lambda: self._pieces["config_search"],
            "config": self.config,
            "config_source": lambda: self._pieces["config_search"].words,
            "config_findings": lambda: self.config().check(case.edition),
            **{name: self._seen(name) for name in RUNNING},
        }

    def _unless_project(self, what: str) -> Exception:
        if self._case.subject.kind == "project":
            if self._case.wish.static:
                return NotAsked(LEAVE_OUT)
            return NotKnown(NOT_BUILT)
        return NotAsked(f"a running server shows no {what}")

    def image(self) -> Image:
        if self._case.image is None:
            raise self._unless_project("image")
        return self._case.image

    def image_config(self) -> ImageConfig:
        if self._case.image_config is not None:
            return self._case.image_config
        return self.image().config

    def files(self) -> Filesystem:
        if self._case.read is None:
            raise self._unless_project("files")
        return self._case.read()

    def detections(self) -> tuple[Note, ...]:
        return self._case.scan() if self._case.scan else self._pieces["files"].notes

    def steps(self) -> tuple[str, ...]:
        """What made each layer; nothing for a project's folder."""
        return tuple(layer.created_by for layer in self._pieces["files"].layers) if self._case.read else ()

    def antivirus(self) -> Antivirus:
        outcome = self._case.antivirus() if self._case.antivirus else None
        if outcome is None:
            raise NotAsked("no clamd is configured (MOORING_CLAMD)")
        return outcome

    def changes(self) -> tuple[Change, ...]:
        if self._case.changes is None:
            raise NotAsked("only for a project's folder")
        return self._case.changes()

    def config(self) -> ModelConfig:
        return the_config(self._pieces["config_search"])

    def config_search(self) -> ConfigSearch:
        case = self._case
        files = self._pieces["files"] if case.read else None
        config = self.image_config() if case.image or case.image_config else None
        return search(files, config, case.config)

    def trial(self) -> Trial | ServerTrial:
        case = self._case
        if case.start_trial is None:
            raise NotAsked("--static: nothing was run") if case.wish.static else NotKnown(case.why_not_run)
        try:
            config = self.config()
        except (NotAsked, NotKnown):
            config = None
        return self._stack.enter_context(case.start_trial(config))

    def _seen(self, name: str) -> Callable[[], Any]:
        return lambda: getattr(self._pieces["trial"], name)


def _described(case: Case, evidence: Evidence) -> Subject:
    """The subject with what became known of it on the way."""
    found = case.subject
    with contextlib.suppress(NotAsked, NotKnown):
        image = evidence["image"]
        config = image.config
        platform = "/".join(part for part in (config.os, config.architecture, config.variant) if part)
        found = replace(found, digest=image.digest, platform=platform, compressed_size=image.compressed_size)
    with contextlib.suppress(NotAsked, NotKnown):
        found = replace(found, size=evidence["files"].size)
    with contextlib.suppress(NotAsked, NotKnown):
        found = replace(found, config_source=evidence["config_source"])
    return found


def _remarks(evidence: Evidence, found: tuple[Result, ...]) -> Iterator[str]:
    if any("detections" in result.rule.needs and result.status is not Status.SKIPPED for result in found):
        yield NOT_PROOF
    with contextlib.suppress(NotAsked, NotKnown):
        if caged := evidence["start"].caged:
            yield caged
    with contextlib.suppress(NotAsked, NotKnown):
        if evidence["subject"].kind == "server" and not evidence["config_search"].places:
            yield "its apis were not called, as no config.json says what they are: --config FILE names one"
    with contextlib.suppress(NotAsked, NotKnown):
        if evidence["changes"]:
            name = evidence["subject"].name
            yield f"mooring check --fix {name} mends some of it, and shows first what it would change"
