"""How a project becomes an image: a foundation that is built once, and on it what changes with every edit."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring import __version__
from mooring.contract import Edition, edition
from mooring.contract.edition import EDITION_LABEL
from mooring.contract.model_config import CONFIG_LABEL
from mooring.contract.vocabulary import IMAGE_MAX_SIZE
from mooring.errors import Conflict, Invalid, MooringError, Refused
from mooring.project.base import Recipe, debian_base
from mooring.project.cache import digest
from mooring.project.context import Context, Layer
from mooring.project.dockerfile import Dockerfile, compact, dockerfile
from mooring.project.layers import (
    PACKAGES_FOLDER,
    config_layer,
    image_config,
    packages_layer,
    project_layers,
    server_layer,
    with_key,
)
from mooring.project.packages import Target, installed, locked, version_of
from mooring.project.probe import Base, probe
from mooring.project.project import Kind, Project
from mooring.project.reference import require_base_name, require_image_name
from mooring.project.requirements import requirements
from mooring.project.settings import DEFAULT_BASE, DEFAULT_EDITION, DEFAULT_PYTHON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mooring.project.builder import Builder

FOUNDATION = "mooring-foundation"
# Each further one means that another build of the same project came to its end meanwhile.
ATTEMPTS = 3
VERSION_LABEL = "io.mooring.version"
SERVE_VERSION_LABEL = "io.mooring.serve.version"
KIND_LABEL = "io.mooring.kind"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What one build may decide differently from the project's mooring.toml; empty leaves it as it is there."""

    base: str = ""
    edition: str = ""
    platform: str = ""

    def edition_for(self, project: Project) -> Edition:
        """The edition that the image is meant for."""
        return edition(self.edition or project.settings.edition or DEFAULT_EDITION)


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image that was made: its name, id and unpacked size in bytes, and what its owner should know."""

    tag: str
    id: str
    size: int
    too_big: str = ""
    """Why the edition would refuse its size; empty if it does not."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    base: Base
    text: Dockerfile
    layers: tuple[Layer, ...]
    last: tuple[Layer, ...]


def build(project: Project, tag: str, options: Options, *, builder: Builder, say: Callable[[str], None]) -> Built:
    """Make the image of `project` and name it `tag`; `say` gets a line for each thing that takes its time.

    Raises:
        Invalid: `tag` is no name for an image.
        Refused: the project, its packages or its base cannot become an image.
        Unavailable: the engine, the package index or the registry does not answer.
    """
    require_image_name(tag)
    if project.kind is Kind.BRING_YOUR_OWN:
        _build_own(project, tag, options, builder=builder, say=say)
    else:
        plan = _plan(project, options, builder=builder, say=say)
        _build_planned(plan, tag, _Making(project=project, platform=options.platform, builder=builder, say=say))
    image = builder.image(tag)
    if image is None:
        raise Refused(f"{builder.name} built {tag} and does not hold it", hint="is another builder selected in buildx?")
    return Built(tag=tag, id=image.id, size=image.size, too_big=_too_big(image.size, options.edition_for(project)))


def eject(project: Project, out: Path, options: Options, *, builder: Builder, say: Callable[[str], None]) -> None:
    """Write the Dockerfile and the folders it copies to `out`: a context for any builder, free of mooring.

    Raises:
        Conflict: `out` has something in it already.
        Refused: the project brings its own Dockerfile.
    """
    if project.kind is Kind.BRING_YOUR_OWN:
        raise Refused(f"{project.root} has a Dockerfile of its own; there is nothing to eject")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(f"{out} exists and is not an empty folder", hint="name a folder that is not there yet")
    if out.resolve().is_relative_to(project.root):
        raise Refused(f"{out} is inside of the project and would become part of it", hint="name a folder beside it")
    plan = _plan(project, options, builder=builder, say=say)
    out.mkdir(parents=True, exist_ok=True)
    whole = Context(dockerfile=plan.text.whole(plan.base.reference), layers=(*plan.layers, *plan.last))
    whole.write_folder(out)


def _plan(project: Project, options: Options, *, builder: Builder, say: Callable[[str], None]) -> _Plan:
    _check_config(project)
    chosen = options.edition_for(project)
    weights, code = project_layers(project)
    base = _base(project, options, builder=builder, say=say)
    if base.missing_for_batch:
        missing = " and ".join(base.missing_for_batch)
        say(f"warning: {base.reference} has no {missing}: the image will do for real-time services, not for batch")
    packages = _packages(project, base, say=say)
    layers = (server_layer(base, say=say), *([packages_layer(packages)] if packages else []), with_key(weights))
    last = (code, config_layer(project, base))
    text = dockerfile(layers, last, base=base, edition=chosen, labels=_labels(project, chosen))
    return _Plan(base=base, text=text, layers=layers, last=last)


def _check_config(project: Project) -> None:
    config = project.config
    if project.kind is Kind.HANDLER and config.dependencies:
        raise Invalid(
            f"{project.config_file} has dependencies, which nothing installs into an image of a handler",
            hint="put them into requirements.txt and remove them from config.json",
        )


def _reference(wanted: str, project: Project, options: Options, *, builder: Builder, say: Callable[[str], None]) -> str:
    """The image to start from; the Debian base is made when that is what is wanted."""
    require_base_name(wanted)
    if wanted == DEFAULT_BASE:
        recipe = Recipe.of(system_packages=project.settings.system_packages, platform=options.platform)
        return debian_base(builder, recipe, say=say)
    if project.settings.system_packages:
        raise Invalid("system_packages are for the Debian base only", hint=f"put them into {wanted} itself")
    return wanted


def _base(project: Project, options: Options, *, builder: Builder, say: Callable[[str], None]) -> Base:
    wanted = options.base or project.settings.base or DEFAULT_BASE
    reference = _reference(wanted, project, options, builder=builder, say=say)
    worker = project.settings.python or DEFAULT_PYTHON
    return probe(builder, reference, worker=worker, platform=options.platform, say=say)


def _packages(project: Project, base: Base, *, say: Callable[[str], None]) -> Path | None:
    wanted = requirements(project, modules=base.worker.modules)
    if wanted is None:
        return None
    if wanted.added:
        say(f"adding {', '.join(wanted.added)}, which {project.config.model_type} packages take for granted")
    target = Target(
        python=base.worker.series,
        platform=base.platform(base.worker),
        magic=base.worker.magic,
        folder=PACKAGES_FOLDER,
    )
    lock = locked(wanted, project.root, target=target, find_links=project.wheels, say=say)
    return installed(lock, project.root, target=target, find_links=project.wheels, say=say)


def _labels(project: Project, chosen: Edition) -> dict[str, str]:
    return {
        CONFIG_LABEL: compact(image_config(project)),
        EDITION_LABEL: chosen.name,
        KIND_LABEL: project.kind.value,
        VERSION_LABEL: __version__,
        **({} if project.kind is Kind.BRING_YOUR_OWN else {SERVE_VERSION_LABEL: version_of("mooring-serve")}),
    }


def _build_planned(plan: _Plan, tag: str, making: _Making) -> None:
    """The image on its foundation; made anew when another build of the project clears that away under our hands."""
    ground = making.foundation_name(plan)
    finish = Context(dockerfile=f"FROM {ground}\n\n{plan.text.finish}", layers=plan.last)
    for attempt in range(1, ATTEMPTS + 1):
        making.lay_foundation(plan, ground)
        making.say(f"building {tag}")
        try:
            making.builder.build(finish, tag=tag, platform=making.platform)
        except MooringError:
            if attempt == ATTEMPTS or making.builder.image(ground) is not None:
                raise
            making.say("another build of this project has cleared the ground meanwhile: once more")
        else:
            break
    making.clear_old(ground)


@dataclass(frozen=True, kw_only=True)
class _Making:
    """With what a plan is carried out."""

    project: Project
    platform: str
    builder: Builder
    say: Callable[[str], None]

    @property
    def _owner(self) -> str:
        return digest(str(self.project.root))[:8]

    def foundation_name(self, plan: _Plan) -> str:
        """The name of the image with all that changes seldom: the same content is the same name."""
        content = digest(plan.base.id, plan.text.foundation, *(layer.key for layer in plan.layers))[:16]
        return f"{FOUNDATION}:{self._owner}-{content}"

    def lay_foundation(self, plan: _Plan, ground: str) -> None:
        """Make it where it is not there; so that an edited handler sends the engine an edited handler only."""
        if self.builder.image(ground) is None:
            self.say("sending server, packages and weights to the engine (again only when they change)")
            context = Context(dockerfile=f"FROM {plan.base.reference}\n\n{plan.text.foundation}", layers=plan.layers)
            self.builder.build(context, tag=ground, platform=self.platform)

    def clear_old(self, ground: str) -> None:
        """Let go of the foundations this project had before."""
        for tag in self.builder.tags(FOUNDATION):
            if tag.startswith(f"{self._owner}-") and not ground.endswith(tag):
                # One that another build stands on at this moment stays for the next build to clear.
                with contextlib.suppress(Refused):
                    self.builder.untag(f"{FOUNDATION}:{tag}")


def _build_own(project: Project, tag: str, options: Options, *, builder: Builder, say: Callable[[str], None]) -> None:
    """The project's own Dockerfile, with the labels that say what the image is."""
    chosen = options.edition_for(project)
    labels = [part for name, value in _labels(project, chosen).items() for part in ("--label", f"{name}={value}")]
    wanted = options.base or project.settings.base
    if wanted:
        text = (project.root / "Dockerfile").read_text(encoding="utf-8", errors="replace")
        if "ARG BASE" not in text:
            raise Refused(
                f"{project.root / 'Dockerfile'} does not take a base", hint="ARG BASE=python:3.11 before FROM ${BASE}"
            )
        reference = _reference(wanted, project, options, builder=builder, say=say)
        labels += ["--build-arg", f"BASE={reference}"]
    say(f"building {tag} with the project's own Dockerfile")
    platform = ["--platform", options.platform] if options.platform else []
    builder.build_folder(project.root, [*platform, *labels], tag=tag, say=say)


def _too_big(size: int, chosen: Edition) -> str:
    if IMAGE_MAX_SIZE not in chosen or size <= chosen[IMAGE_MAX_SIZE]:
        return ""
    return f"the image is {size / 1024**3:.1f} GB unpacked; {chosen.name} allows {chosen.text(IMAGE_MAX_SIZE)}"
