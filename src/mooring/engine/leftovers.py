"""What checks make in an engine: named so that it is known for ours, and removed once its check is gone.

Containers inherit the labels of their image, so a label alone says nothing about who made a container. What nobody but
its maker gives it are its name and its network. Images and networks are known by what only we name or label so.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.engine.owner import Owner
from mooring.engine.translation import translated
from mooring.errors import MooringError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mooring.engine.docker import DockerEngine

OWNER_LABEL = "io.mooring.owner"
CAGE_LABEL = "io.mooring.cage"
CHECKED = "mooring-checked"
WORD_CHARACTERS = 10


@dataclass(frozen=True)
class Names:
    """The names of one cage, all made of one word that nobody else has."""

    word: str

    @property
    def network(self) -> str:
        """Its network."""
        return f"mooring-{self.word}"

    @property
    def container(self) -> str:
        """Its container."""
        return f"mooring-check-{self.word}"

    @property
    def bridge(self) -> str:
        """The network's interface; these have names of at most 15 characters."""
        return f"moor{self.word}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all of them."""
        return {CAGE_LABEL: self.word, OWNER_LABEL: str(Owner.me())}


def new_word() -> str:
    """A word for one cage."""
    return uuid.uuid4().hex[:WORD_CHARACTERS]


def checked_name() -> str:
    """A new name for an image that this process hands to an engine for as long as it checks it: `name:tag`."""
    return f"{CHECKED}:{Owner.me()}-{new_word()}"


def remove_leftovers(engine: DockerEngine) -> None:
    """Remove the containers, networks and images of checks that are no more, whoever's they were."""
    with translated():
        containers = engine.api.containers(all=True, filters={"label": OWNER_LABEL})
        networks = engine.api.networks(filters={"label": OWNER_LABEL})
        images = engine.api.images(name=CHECKED)
    _remove(engine.remove, _left(filter(_is_ours, containers), here=engine.is_here))
    _remove(lambda name: remove_network(engine, name), _left(networks, here=engine.is_here))
    names = (name for image in images for name in image.get("RepoTags") or ())
    _remove(engine.remove_image, (name for name in names if _is_left(_owner_in(name), here=engine.is_here)))


def remove_network(engine: DockerEngine, name: str) -> None:
    """Remove a network; idempotent."""
    with contextlib.suppress(NotFound), translated(f"network {name}"):
        engine.api.remove_network(name)


def _remove(remove: Callable[[str], None], found: Iterator[str]) -> None:
    for one in found:
        with contextlib.suppress(MooringError):  # another check may be at it as well
            remove(one)


def _left(found: Iterator[Mapping[str, Any]], *, here: bool) -> Iterator[str]:
    for one in found:
        if _is_left(Owner.parse(_labels(one).get(OWNER_LABEL, "")), here=here):
            yield one["Id"]


def _is_left(owner: Owner | None, *, here: bool) -> bool:
    return owner is not None and owner.is_gone(here=here)


def _is_ours(container: Mapping[str, Any]) -> bool:
    """Whether its name and its network are those of the cage that its label names."""
    names = Names(_labels(container).get(CAGE_LABEL, ""))
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return f"/{names.container}" in (container.get("Names") or ()) and names.network in networks


def _labels(found: Mapping[str, Any]) -> Mapping[str, str]:
    return found.get("Labels") or {}


def _owner_in(name: str) -> Owner | None:
    told = re.fullmatch(rf"(?:localhost/)?{CHECKED}:(.+)-[0-9a-f]{{{WORD_CHARACTERS}}}", name)
    return Owner.parse(told[1]) if told else None
