"""What the word SUBJECT means, and how it is opened: an image wherever it is, a project, a running server."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from mooring import image as images
from mooring import project as projects
from mooring.checks import Subject
from mooring.checks.mending import changes
from mooring.checks.opening import Opening, Watch, is_there, place_of, stored_at
from mooring.checks.trial import ServerTrial
from mooring.cli.unbuilt import own_dockerfile
from mooring.cli.watching import Watching
from mooring.engine import checked_name
from mooring.errors import Invalid, NotFound, Unavailable
from mooring.project.samples import samples_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mooring.checks.case import Case
    from mooring.cli.asked import Asked
    from mooring.contract import Edition, ModelConfig

SERVER = re.compile(r"https?://", re.IGNORECASE)
# A word that can only be a path: it begins like one, or ends like an archive.
PATH = re.compile(r"[./~]|.*\.(tar|tgz|tar\.gz|tar\.zst|tzst)$")
# An image's name begins with a registry when its first part could be a host (the rule that docker itself has).
HOST = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")
# What could be the address of a server as well as the name of an image.
ADDRESS = re.compile(r"(?:localhost|[\d.]+):\d{2,5}")


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


class _Opening(Opening):
    """One subject of the command line on its way to being a case."""

    def __init__(self, asked: Asked, stack: contextlib.ExitStack, watching: Watching) -> None:
        super().__init__(asked.terms(), stack, Watch(doing=watching.doing, read=watching.read))
        self._word = asked.subject
        self._watching = watching

    def case(self) -> Case:
        word = self._word
        if SERVER.match(word):
            return self._server(word)
        is_there(word)
        path, name = place_of(word)
        if path.exists():
            image = stored_at(path, name)
            return self.stored(image) if image else self._project(path)
        if PATH.match(word):
            raise NotFound(f"there is no {word}", hint="SUBJECT is an image, a file, a folder or a URL")
        return self._named(word)

    def _server(self, url: str) -> Case:
        _require_address(url)
        wish = self.terms.wish

        def start(config: ModelConfig | None) -> ServerTrial:
            self.require_fields(config)
            return ServerTrial(url, wish=wish, edition=self.edition(), config=config, doing=self._watching.doing)

        if wish.static:
            raise Invalid("--static runs nothing, and a server is all that there is to see", hint="leave it out")
        return self.base(Subject(name=url, kind="server"), self.edition(), start_trial=start)

    def _named(self, name: str) -> Case:
        """An image by name: the engine's own when it has it, else the registry's that the name begins with."""
        try:
            return self.held(name)
        except (NotFound, Unavailable) as missing:
            if not HOST.match(name):
                if isinstance(missing, Unavailable):
                    missing.hint += "; an archive, a registry reference (HOST/NAME:TAG) or a folder needs none"
                elif ADDRESS.fullmatch(name):
                    missing.hint = f"for a running server, name its URL: http://{name}"
                raise
            return self.stored(images.registry_image(name))

    def _project(self, folder: Path) -> Case:
        project = projects.Project.open(folder)
        self._take_settings(project)
        chosen = self.edition(project.settings.edition or "")
        if self.terms.wish.static:
            return self._unbuilt(folder, project, chosen, why="")
        try:
            builder = projects.find_builder()
            engine = self.connected()
        except Unavailable as error:
            return self._unbuilt(folder, project, chosen, why=error.message)
        if builder.name == "buildah":
            return self._unbuilt(folder, project, chosen, why="no Docker answers that could build and run the project")
        name = checked_name()
        self._stack.callback(engine.remove_image, name)
        projects.build(project, name, projects.Options(edition=chosen.name), builder=builder, say=self._say)
        # A package's own config.json is another one than its image's; that is in the label.
        own = project.config_file if project.config.model_type == "Image" else None
        return replace(
            self._named(name),
            subject=Subject(name=str(folder), kind="project"),
            edition=chosen,
            config=self.terms.config or own,
            changes=lambda: changes(folder, chosen),
        )

    def _unbuilt(self, folder: Path, project: projects.Project, chosen: Edition, *, why: str) -> Case:
        files = [(str(one.path), one.source) for one in project.files if not one.is_folder and not one.link]
        return replace(
            self.unbuilt(folder, files, why=why),
            edition=chosen,
            config=self.terms.config or project.config_file,
            prospect=own_dockerfile(folder, project, static=self.terms.wish.static),
            changes=lambda: changes(folder, chosen),
        )

    def _take_settings(self, project: projects.Project) -> None:
        """What the project's mooring.toml says of checks; the command line says more, never less."""
        settings = project.settings
        self.terms = self.terms.with_own(
            accept=settings.accept, allow_imports=settings.allow_imports, samples=samples_of(project)
        )

    def _say(self, line: str) -> None:
        self._watching.doing("")
        typer.echo(line, err=True)
        self._watching.doing(line)
