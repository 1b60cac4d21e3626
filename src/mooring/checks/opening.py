"""How a subject becomes a case: an image wherever its bytes live, or a folder that is no image yet."""

from __future__ import annotations

import errno
import functools
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mooring import image as images
from mooring.checks.case import Case
from mooring.checks.folder import folder_notes
from mooring.checks.report import Subject
from mooring.checks.rule import rule_named
from mooring.checks.scanning import Scanner, scanner
from mooring.checks.trial import Trial
from mooring.contract import edition, editions
from mooring.contract.edition import EDITION_LABEL
from mooring.contract.names import did_you_mean
from mooring.engine import DockerEngine, checked_name
from mooring.errors import Invalid

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Iterable, Mapping

    from mooring.checks.case import StartTrial
    from mooring.checks.wish import Wish
    from mooring.contract import Edition, ModelConfig
    from mooring.image import Filesystem, Image, Movable, Progress

CLAMD = "MOORING_CLAMD"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a subject is to be judged.

    `edition` "" leaves it to the subject, and where that names none, to the default. `config` is the config.json that
    counts in the place of the subject's own.
    """

    wish: Wish
    edition: str = ""
    config: Path | None = None
    allowed_imports: tuple[str, ...] = ()
    wait_seconds: float | None = None

    def with_own(self, *, accept: Iterable[str], allow_imports: Iterable[str], samples: Mapping[str, str]) -> Terms:
        """With what the subject says of its own checks; the caller says more, never less.

        NotFound when it accepts a rule that does not exist.
        """
        wish = replace(
            self.wish,
            accepted={**accepted(accept), **self.wish.accepted},
            samples=self.wish.samples or samples,
        )
        return replace(self, wish=wish, allowed_imports=(*allow_imports, *self.allowed_imports))


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who hears what a check is doing, and how far it is with reading layers; either may raise, to break it off."""

    doing: Callable[[str], None] = field(default=lambda _: None)
    read: Callable[[Progress], None] = field(default=lambda _: None)


def accepted(words: Iterable[str]) -> dict[str, str]:
    """`RULE[:reason]` words as a mapping from a rule's id to the reason; NotFound for a rule that does not exist."""
    parts = (word.partition(":") for word in words)
    return {rule_named(name.strip()).id: reason.strip() for name, _, reason in parts}


def is_there(word: str) -> bool:
    """Whether a word is the path of something. Invalid when that cannot be told."""
    try:
        Path(word).lstat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise Invalid(f"{word} cannot be looked at: {error.strerror}") from error
        return False
    return True


def place_of(word: str) -> tuple[Path, str]:
    """The path, and the name of one of several images in it: `images.tar#mnist:1`."""
    path, mark, name = word.partition("#")
    return (Path(path), name) if mark and not Path(word).exists() else (Path(word), "")


def stored_at(path: Path, name: str = "") -> Movable | None:
    """The image in an archive or an OCI layout; None for any other folder. Errors as those who read images have them.

    `name` chooses among several.
    """
    if not path.is_dir():
        return images.archive_image(path, name)
    if (path / "oci-layout").exists() or (path / "index.json").exists():
        return images.layout_image(path, name)
    if (path / "manifest.json").exists():
        raise Invalid(f"{path} is an unpacked docker save", hint="give the archive itself, the .tar")
    return None


class Opening:
    """One subject on its way to being a case; what is made for it goes when the stack is closed."""

    def __init__(self, terms: Terms, stack: contextlib.ExitStack, watch: Watch) -> None:
        self.terms = terms
        self._stack = stack
        self._watch = watch
        self._inspector: Scanner | None = None
        self._engine: DockerEngine | None = None
        self._reference: Callable[[], str] | None = None

    def reference(self) -> str:
        """The name by which the engine holds the image that was opened; it is handed to it first, where it does not."""
        if self._reference is None:
            raise Invalid("nothing was opened that an engine could hold")
        return self._reference()

    def held(self, name: str) -> Case:
        """An image that the engine holds. NotFound when it holds none such, Unavailable when none answers."""
        engine = self.connected()
        found = engine.image(name)
        exported = images.exported_image(
            name,
            engine.inspect_image(found.id),
            lambda: engine.export(found.id),
            history=engine.image_history(found.id),
        )
        return self._image(exported, lambda: name)

    def stored(self, image: Movable) -> Case:
        """An image outside of an engine; to be run it is handed to one, and taken away from it in the end."""

        @functools.cache
        def loaded() -> str:
            engine, name = self.connected(), checked_name()
            self._watch.doing("handing the image to the engine")
            self._stack.callback(engine.remove_image, name)
            with image.handed() as handed:
                engine.load(images.docker_archive(handed, name))
            return name

        return self._image(image, loaded)

    def unbuilt(self, folder: Path, files: list[tuple[str, Path]], *, why: str) -> Case:
        """What can be said of a project from its files alone; `why` it is not run."""
        return replace(
            self.base(Subject(name=str(folder), kind="project"), self.edition()),
            scan=lambda: folder_notes(files, self.scanner()),
            why_not_run=why,
        )

    def base(self, subject: Subject, chosen: Edition, *, start_trial: StartTrial | None = None) -> Case:
        """What all cases of these terms have."""
        return Case(
            subject=subject,
            edition=chosen,
            wish=self.terms.wish,
            config=self.terms.config,
            start_trial=start_trial,
            antivirus=lambda: self.scanner().antivirus,
            doing=self._watch.doing,
        )

    def edition(self, own: str = "") -> Edition:
        """The edition asked for, else the subject's own where it names one that exists, else the default."""
        if self.terms.edition:
            return edition(self.terms.edition)
        return edition(own) if own in editions() else edition()

    def scanner(self) -> Scanner:
        """The one scanner of this subject's files."""
        if self._inspector is None:
            self._inspector = scanner(allowed=self.terms.allowed_imports, clamd=os.environ.get(CLAMD, ""))
        return self._inspector

    def connected(self) -> DockerEngine:
        """The engine. Unavailable when none answers."""
        if self._engine is None:
            self._engine = self._stack.enter_context(DockerEngine.connect())
        return self._engine

    def require_fields(self, config: ModelConfig | None) -> None:
        """Invalid when a sample is for a field that no api has: it would be sent to nobody."""
        fields = {name for api in config.apis for name in api.request.data.get("properties", {})} if config else set()
        for name in self.terms.wish.samples:
            if name not in fields:
                has = f"it has {', '.join(sorted(fields))}" if fields else "it has none"
                what = (
                    f"no api of config.json has a field {name!r}"
                    if config
                    else "no config.json says which api takes it"
                )
                raise Invalid(f"--sample {name}=@...: {what}", hint=did_you_mean(name, fields) or has)

    def _image(self, image: Image, reference: Callable[[], str]) -> Case:
        self._reference = reference

        @functools.cache
        def read() -> Filesystem:
            return image.read(self.scanner(), progress=self._watch.read)

        if image.kind == "archive" and not self.terms.edition:
            # A packed one tells its labels only at its end: to ask for them first would be a pass of its own.
            read()
        chosen = self.edition(image.config.labels.get(EDITION_LABEL, ""))
        subject = Subject(name=image.name, kind=image.kind)
        case = self.base(subject, chosen, start_trial=self._trial(reference, chosen))
        return replace(case, image=image, read=read)

    def _trial(self, reference: Callable[[], str], chosen: Edition) -> StartTrial | None:
        if self.terms.wish.static:
            return None

        def start(config: ModelConfig | None) -> Trial:
            self.require_fields(config)
            name = reference()
            return Trial(
                self.connected(),
                name,
                wish=self.terms.wish,
                edition=chosen,
                config=config,
                doing=self._watch.doing,
                wait_seconds=self.terms.wait_seconds,
            )

        return start
