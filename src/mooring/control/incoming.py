"""One model on its way in: from its source, through the gate, to what an engine can run; it blocks."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mooring import image as images
from mooring import project as projects
from mooring.checks.config_source import search
from mooring.checks.opening import Opening, Terms, Watch, stored_at
from mooring.contract.model_config import CONFIG_LABEL, ModelConfig
from mooring.control.copies import image_name, project_digest, project_size
from mooring.control.gate import OFF, STATIC, judge, wish_for
from mooring.control.sources import HOST, SourceKind, source_of
from mooring.control.status import ModelStatus
from mooring.engine.naming import give_name, unpacked_size
from mooring.errors import NotFound, Refused
from mooring.project.samples import samples_of
from mooring.project.serving import servable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from mooring.checks import Subject
    from mooring.checks.case import Case
    from mooring.control.copies import Copies
    from mooring.control.gate import Judgement
    from mooring.control.settings import Settings
    from mooring.control.sources import Source
    from mooring.image import Image

DOCKER, MEMORY = "docker", "memory"
NOT_RUN = "Checked by its files alone: the process engine runs nothing apart."


class BrokenOff(BaseException):
    """The model was deleted, or the platform is going down: no error of anybody's, and nothing catches it as one."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be imported, as its row says it."""

    model_id: str
    version: str
    source_location: str
    source_copy: bool
    initial_config: str
    is_image: bool
    install_type: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What every import works with; `engine` is the engine's name."""

    settings: Settings
    copies: Copies
    engine: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of it: the row's values, and the lines of its story that came of the check."""

    status: ModelStatus
    error_msg: str = ""
    image: str = ""
    image_digest: str = ""
    size_bytes: int = 0
    initial_config: str = ""
    config: dict[str, Any] | None = None
    judgement: Judgement | None = None


class Incoming:
    """One import; `tell` adds a line to the model's story, with the status that it has from then on.

    `stop` breaks it off where it can be: between two things that it does.
    """

    def __init__(self, job: Job, place: Place, tell: Callable[[str, ModelStatus], None], stop: threading.Event) -> None:
        self._job = job
        self._place = place
        self._tell = tell
        self._stop = stop

    def run(self) -> Outcome:
        """Import it.

        Raises:
            MooringError: it cannot be imported; Unavailable when it may go better later.
            BrokenOff: `stop` was set.
        """
        self._go_on()
        source = source_of(self._job.source_location, self._place.settings, is_image=self._job.is_image)
        # What an import that was killed has left behind.
        self._place.copies.forget(self._job.model_id)
        with contextlib.ExitStack() as stack:
            if source.kind is SourceKind.PROJECT:
                return self._of_project(source, stack)
            return self._of_image(source, self._opening(stack))

    def _of_image(self, source: Source, opening: Opening) -> Outcome:
        if self._place.engine == MEMORY and source.kind is SourceKind.NAMED:
            # A world for tests, in which every image is whatever the test says.
            return self._published(image=source.word)
        if self._place.engine not in (DOCKER, MEMORY):
            raise Refused(
                f"{source.word} is an image, and this platform runs projects in processes of its machine",
                hint="import a project's folder, or start the platform with --engine docker",
            )
        if source.kind is SourceKind.NAMED:
            case, is_held = self._named(source, opening)
        else:
            image = stored_at(source.path, source.image)
            if image is None:
                raise NotFound(f"{source.word} is no OCI layout any more")
            case, is_held = opening.stored(image), False
        outcome = self._judged(case)
        if outcome.status is not ModelStatus.PUBLISHED or self._place.engine == MEMORY:
            return replace(outcome, image=source.word, image_digest=case.image.digest if case.image else "")
        return self._kept(source, opening, outcome, is_held=is_held)

    def _named(self, source: Source, opening: Opening) -> tuple[Case, bool]:
        """The image, and whether the engine holds it; else it is the registry's that its name begins with."""
        try:
            return opening.held(source.word), True
        except NotFound:
            if not HOST.match(source.word):
                raise
        self._say(f"The engine does not hold the image; it is read from its registry: {source.word}")
        return opening.stored(images.registry_image(source.word)), False

    def _kept(self, source: Source, opening: Opening, outcome: Outcome, *, is_held: bool) -> Outcome:
        """What runs from now on: what was checked, by a name of ours; or whatever its own name means then."""
        self._go_on()
        engine, name = opening.connected(), opening.reference()
        checked = engine.image(name).id if not is_held else str(outcome.image_digest)
        size = outcome.size_bytes or unpacked_size(engine, checked)
        if is_held and not self._job.source_copy:
            return replace(outcome, image=source.word, image_digest=checked, size_bytes=size)
        ours = image_name(self._job.model_id, self._job.version)
        self._place.copies.expect_image(self._job.model_id, ours)
        give_name(engine, checked, ours)
        return replace(outcome, image=ours, image_digest=checked, size_bytes=size)

    def _of_project(self, source: Source, stack: contextlib.ExitStack) -> Outcome:
        if self._place.engine == DOCKER:
            return self._built(source, projects.Project.open(source.path), stack)
        project = servable(source.path)
        size = project_size(project)
        if self._job.source_copy:
            self._place.copies.require_room(size)
        opening = self._opening(stack, project)
        files = [(str(one.path), one.source) for one in project.files if not one.is_folder and not one.link]
        case = opening.unbuilt(source.path, files, why="")
        case = replace(case, config=case.config or project.config_file)
        outcome = self._judged(case)
        if outcome.status is not ModelStatus.PUBLISHED:
            return outcome
        self._go_on()
        digest = project_digest(project, self._go_on)
        runs = source.path
        if self._job.source_copy:
            runs = self._place.copies.copy_project(self._job.model_id, project, self._go_on)
        text = self._job.initial_config or project.config_file.read_text(encoding="utf-8", errors="replace")
        return replace(
            outcome,
            image=str(runs),
            image_digest=digest,
            size_bytes=size,
            initial_config=text,
            config=outcome.config or project.config.clean(),
        )

    def _built(self, source: Source, project: projects.Project, stack: contextlib.ExitStack) -> Outcome:
        """Its image, under a name of ours from the beginning."""
        self._tell("Start to build the image.", ModelStatus.BUILDING)
        ours = image_name(self._job.model_id, self._job.version)
        self._place.copies.expect_image(self._job.model_id, ours)
        chosen = self._place.settings.edition
        builder = projects.find_builder()
        projects.build(project, ours, projects.Options(edition=chosen), builder=builder, say=lambda _: self._go_on())
        self._tell("The image is built.", ModelStatus.PUBLISHING)
        opening = self._opening(stack, project)
        case = opening.held(ours)
        own = project.config_file if project.config.model_type == "Image" else None
        subject: Subject = replace(case.subject, name=source.word, kind="project")
        outcome = self._judged(replace(case, subject=subject, config=case.config or own))
        held = opening.connected().image(ours)
        size = outcome.size_bytes or unpacked_size(opening.connected(), ours)
        return replace(outcome, image=ours, image_digest=held.id, size_bytes=size)

    def _judged(self, case: Case) -> Outcome:
        """Through the gate. An import that is kept out has its problems for a message."""
        judgement = None
        if self._place.settings.gate != OFF:
            self._say(f"The image is checked by the rules of {case.edition.name}." if case.image else NOT_RUN)
            judgement = judge(case, own_names=self._own_names())
            if judgement.problems:
                return Outcome(status=ModelStatus.FAILED, error_msg=judgement.summary, judgement=judgement)
        self._go_on()
        text, config = self._config(case, was_read=judgement is not None)
        return self._published(
            initial_config=text,
            config=config,
            judgement=judgement,
            size_bytes=judgement.size if judgement else 0,
            image_digest=case.image.digest if case.image else "",
        )

    def _published(self, **values: Any) -> Outcome:
        sent = {"initial_config": self._job.initial_config, "config": self._sent_config()}
        return Outcome(status=ModelStatus.PUBLISHED, **{**sent, **values})

    def _sent_config(self) -> dict[str, Any] | None:
        text = self._job.initial_config
        return ModelConfig.parse(text.encode("utf-8", "surrogatepass")).clean() if text else None

    def _config(self, case: Case, *, was_read: bool) -> tuple[str, dict[str, Any] | None]:
        """The text of the config.json that counts, and its clean form; the image's own when none was sent."""
        if self._job.initial_config or case.image is None:
            return self._job.initial_config, self._sent_config()
        label = case.image.config.labels.get(CONFIG_LABEL)
        files = None
        if not label:
            files = case.read() if was_read and case.read else _read(case.image)
        chosen = search(files, case.image.config, None).chosen
        if chosen is None or chosen.config is None:
            return "", None
        clean = chosen.config.clean()
        data = label.encode("utf-8", "replace") if label else files.text(chosen.words) if files else None
        try:
            return (data or b"").decode("utf-8-sig"), clean
        except UnicodeDecodeError:
            return json.dumps(clean, ensure_ascii=False), clean

    def _opening(self, stack: contextlib.ExitStack, project: projects.Project | None = None) -> Opening:
        settings = self._place.settings
        static = settings.gate == STATIC or self._place.engine != DOCKER
        terms = Terms(
            wish=wish_for(self._job.install_type, static=static), edition=settings.edition, config=self._config_file()
        )
        if project is not None:
            own = project.settings
            samples = samples_of(project) if not static else {}
            terms = terms.with_own(accept=own.accept, allow_imports=own.allow_imports, samples=samples)
        return Opening(terms, stack, Watch(doing=lambda _: self._go_on()))

    def _config_file(self) -> Path | None:
        text = self._job.initial_config
        return self._place.copies.write_config(self._job.model_id, text) if text else None

    def _own_names(self) -> dict[str, str]:
        return {str(file): "initial_config"} if (file := self._config_file()) else {}

    def _say(self, line: str) -> None:
        self._tell(line, ModelStatus.PUBLISHING)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise BrokenOff


def _read(image: Image) -> images.Filesystem:
    """Its files, looked at by no scanner."""
    return image.read()
