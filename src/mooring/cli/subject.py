"""What the word SUBJECT means, and how it is opened: an image wherever it is, a project, a running server."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from mooring import image as images
from mooring import project as projects
from mooring.checks import Subject
from mooring.checks.case import Case
from mooring.checks.folder import folder_notes
from mooring.checks.mending import changes
from mooring.checks.scanning import Scanner, scanner
from mooring.checks.trial import ServerTrial, Trial
from mooring.cli.asked import Asked, accepted
from mooring.cli.curl import sample_file
from mooring.cli.unbuilt import own_dockerfile
from mooring.cli.watching import Watching
from mooring.contract import edition, editions
from mooring.contract.edition import EDITION_LABEL
from mooring.contract.names import did_you_mean
from mooring.engine import DockerEngine, checked_name
from mooring.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.checks.case import StartTrial
    from mooring.contract import Edition, ModelConfig
    from mooring.image import Filesystem, Image, Movable

SERVER = re.compile(r"https?://", re.IGNORECASE)
# A word that can only be a path: it begins like one, or ends like an archive.
PATH = re.compile(r"[./~]|.*\.(tar|tgz|tar\.gz|tar\.zst|tzst)$")
# An image's name begins with a registry when its first part could be a host (the rule that docker itself has).
HOST = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")
# What could be the address of a server as well as the name of an image.
ADDRESS = re.compile(r"(?:localhost|[\d.]+):\d{2,5}")
CLAMD = "MOORING_CLAMD"


def _place(word: str) -> tuple[Path, str]:
    """The path, and the name of one of several images in it: `images.tar#mnist:1`."""
    path, mark, name = word.partition("#")
    return (Path(path), name) if mark and not Path(word).exists() else (Path(word), "")


def _require_address(word: str) -> None:
    """Invalid when it is no address of a server, or holds a password, which reports would show."""
    try:
        parts = urlsplit(word)
        place = f"{parts.hostname or ''}:{parts.port}" if parts.port is not None else parts.hostname or ""
    except ValueError as error:
        raise Invalid(f"{word} is not a URL: {error}", hint="for example http://127.0.0.1:8080") from error
    if not parts.hostname or parts.query or parts.fragment:
        raise Invalid(f"{word} is not the address of a server", hint="for example http://127.0.0.1:8080")
    if parts.username is not None or parts.password is not None:
        raise Invalid(
            f"{parts.scheme}://{place} is given with a user or a password, which no request here can carry",
            hint="name the server without them",
        )


@contextlib.contextmanager
def opened(asked: Asked) -> Iterator[Case]:
    """The case that the words ask for; what was made for it is removed in the end.

    Raises:
        NotFound: there is no such file, image or project.
        Invalid: it is there and is not what it should be.
        Unavailable: neither the engine nor the registry that could know it answers.
    """
    with contextlib.ExitStack() as stack, Watching() as watching:
        yield _Opening(asked, stack, watching).case()


class _Opening:
    """One subject on its way to being a case."""

    def __init__(self, asked: Asked, stack: contextlib.ExitStack, watching: Watching) -> None:
        self._asked = asked
        self._wish = asked.wish()
        self._stack = stack
        self._watching = watching
        self._inspector: Scanner | None = None
        self._engine: DockerEngine | None = None

    def case(self) -> Case:
        word = self._asked.subject
        if SERVER.match(word):
            return self._server(word)
        path = Path(word)
        try:
            path.lstat()
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise Invalid(f"{word} cannot be looked at: {error.strerror}") from error
        path, name = _place(word)
        if path.is_dir():
            return self._folder(path, name)
        if path.exists():
            return self._stored(images.archive_image(path, name))
        if PATH.match(word):
            raise NotFound(f"there is no {word}", hint="SUBJECT is an image, a file, a folder or a URL")
        return self._named(word)

    def _folder(self, path: Path, name: str) -> Case:
        if (path / "oci-layout").exists() or (path / "index.json").exists():
            return self._stored(images.layout_image(path, name))
        if (path / "manifest.json").exists():
            raise Invalid(f"{path} is an unpacked docker save", hint="give the archive itself, the .tar")
        return self._project(path)

    def _server(self, url: str) -> Case:
        _require_address(url)

        def start(config: ModelConfig | None) -> ServerTrial:
            self._require_fields(config)
            return ServerTrial(url, wish=self._wish, edition=self._edition(), config=config, doing=self._watching.doing)

        if self._wish.static:
            raise Invalid("--static runs nothing, and a server is all that there is to see", hint="leave it out")
        return self._base(Subject(name=url, kind="server"), self._edition(), start_trial=start)

    def _named(self, name: str) -> Case:
        """An image by name: the engine's own when it has it, else the registry's that the name begins with."""
        try:
            engine = self._connected()
            found = engine.image(name)
        except (NotFound, Unavailable) as missing:
            if not HOST.match(name):
                if isinstance(missing, Unavailable):
                    missing.hint += "; an archive, a registry reference (HOST/NAME:TAG) or a folder needs none"
                elif ADDRESS.fullmatch(name):
                    missing.hint = f"for a running server, name its URL: http://{name}"
                raise
            return self._stored(images.registry_image(name))
        exported = images.exported_image(
            name,
            engine.inspect_image(found.id),
            lambda: engine.export(found.id),
            history=engine.image_history(found.id),
        )
        return self._image(exported, lambda: name)

    def _stored(self, image: Movable) -> Case:
        """An image outside of an engine; to be run it is handed to one, and taken away from it in the end."""

        def loaded() -> str:
            engine, name = self._connected(), checked_name()
            self._watching.doing("handing the image to the engine")
            self._stack.callback(engine.remove_image, name)
            with image.handed() as handed:
                engine.load(images.docker_archive(handed, name))
            return name

        return self._image(image, loaded)

    def _image(self, image: Image, reference: Callable[[], str]) -> Case:
        @functools.cache
        def read() -> Filesystem:
            return image.read(self._scanner(), progress=self._watching.read)

        if image.kind == "archive" and not self._asked.edition:
            # A packed one tells its labels only at its end: to ask for them first would be a pass of its own.
            read()
        chosen = self._edition(image.config.labels.get(EDITION_LABEL, ""))
        subject = Subject(name=image.name, kind=image.kind)
        case = self._base(subject, chosen, start_trial=self._trial(reference, chosen))
        return replace(case, image=image, read=read)

    def _trial(self, reference: Callable[[], str], chosen: Edition) -> StartTrial | None:
        if self._wish.static:
            return None

        def start(config: ModelConfig | None) -> Trial:
            self._require_fields(config)
            name = reference()
            return Trial(
                self._connected(),
                name,
                wish=self._wish,
                edition=chosen,
                config=config,
                doing=self._watching.doing,
                wait_seconds=self._asked.wait_seconds,
            )

        return start

    def _require_fields(self, config: ModelConfig | None) -> None:
        """Invalid when a sample is for a field that no api has: it would be sent to nobody."""
        fields = {name for api in config.apis for name in api.request.data.get("properties", {})} if config else set()
        for name in self._wish.samples:
            if name not in fields:
                has = f"it has {', '.join(sorted(fields))}" if fields else "it has none"
                what = (
                    f"no api of config.json has a field {name!r}"
                    if config
                    else "no config.json says which api takes it"
                )
                raise Invalid(f"--sample {name}=@...: {what}", hint=did_you_mean(name, fields) or has)

    def _project(self, folder: Path) -> Case:
        project = projects.Project.open(folder)
        self._take_settings(project)
        chosen = self._edition(project.settings.edition or "")
        if self._wish.static:
            return self._unbuilt(folder, project, chosen, why="")
        try:
            builder = projects.find_builder()
            engine = self._connected()
        except Unavailable as error:
            return self._unbuilt(folder, project, chosen, why=error.message)
        if builder.name == "buildah":
            return self._unbuilt(folder, project, chosen, why="no Docker answers that could build and run the project")
        name = checked_name()
        self._stack.callback(engine.remove_image, name)
        projects.build(project, name, projects.Options(edition=chosen.name), builder=builder, say=self._say)
        case = self._named(name)
        # A package's own config.json is another one than its image's; that is in the label.
        own = project.config_file if project.config.model_type == "Image" else None
        return replace(
            case,
            subject=Subject(name=str(folder), kind="project"),
            edition=chosen,
            config=self._asked.config or own,
            changes=lambda: changes(folder, chosen),
        )

    def _unbuilt(self, folder: Path, project: projects.Project, chosen: Edition, *, why: str) -> Case:
        """What can be said of a project from its files alone."""
        files = [(str(one.path), one.source) for one in project.files if not one.is_folder and not one.link]
        return replace(
            self._base(Subject(name=str(folder), kind="project"), chosen),
            config=self._asked.config or project.config_file,
            scan=lambda: folder_notes(files, self._scanner()),
            prospect=own_dockerfile(folder, project, static=self._wish.static),
            changes=lambda: changes(folder, chosen),
            why_not_run=why,
        )

    def _take_settings(self, project: projects.Project) -> None:
        """What the project's mooring.toml says of checks; the command line says more, never less."""
        own = accepted(list(project.settings.accept))
        folder, fields = project.root, {name for api in project.config.apis for name in api.file_fields}
        sample = sample_file(folder, but=(".json", ".py"))
        made = dict.fromkeys(fields, sample) if sample else {}
        self._wish = replace(
            self._wish,
            accepted={**own, **self._wish.accepted},
            samples=self._wish.samples or made,
        )
        self._asked = replace(
            self._asked, allowed_imports=(*project.settings.allow_imports, *self._asked.allowed_imports)
        )

    def _base(self, subject: Subject, chosen: Edition, *, start_trial: StartTrial | None = None) -> Case:
        return Case(
            subject=subject,
            edition=chosen,
            wish=self._wish,
            config=self._asked.config,
            start_trial=start_trial,
            antivirus=lambda: self._scanner().antivirus,
            doing=self._watching.doing,
        )

    def _edition(self, own: str = "") -> Edition:
        """The edition asked for, else the subject's own where it names one that exists, else the default."""
        if self._asked.edition:
            return edition(self._asked.edition)
        return edition(own) if own in editions() else edition()

    def _scanner(self) -> Scanner:
        if self._inspector is None:
            self._inspector = scanner(allowed=self._asked.allowed_imports, clamd=os.environ.get(CLAMD, ""))
        return self._inspector

    def _connected(self) -> DockerEngine:
        if self._engine is None:
            self._engine = self._stack.enter_context(DockerEngine.connect())
        return self._engine

    def _say(self, line: str) -> None:
        self._watching.doing("")
        typer.echo(line, err=True)
        self._watching.doing(line)
