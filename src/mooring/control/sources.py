"""What a source_location means here: an image by name, a file or folder on the platform's machine, or nothing."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.checks.opening import place_of
from mooring.contract.regular_file import other_kind
from mooring.errors import Invalid, MooringError, Refused
from mooring.project import Project

if TYPE_CHECKING:
    from mooring.control.settings import Settings

URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# What begins like a path that is not whole, or ends like an archive.
RELATIVE = re.compile(r"(?:\.|~).*|.*\.(?:tar|tgz|tar\.gz|tar\.zst|tzst)", re.DOTALL)
IMAGE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,510}")
# An image's name begins with a registry when its first part could be a host (the rule that docker itself has).
HOST = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")
LAYOUT_FILES = ("oci-layout", "index.json", "manifest.json")


class SourceKind(enum.Enum):
    """Where a model comes from."""

    NAMED = enum.auto()
    """An image by its name: in the engine, or in a registry."""
    STORED = enum.auto()
    """An image in an archive or an OCI layout."""
    PROJECT = enum.auto()
    """A project's folder."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source_location, understood; `path` and `image` (one of several in an archive) are for what is stored here."""

    kind: SourceKind
    word: str
    path: Path = field(default_factory=Path)
    image: str = ""


def source_of(word: str, settings: Settings, *, is_image: bool) -> Source:
    """What the word means; paths are looked at, names are not.

    Paths are those of the platform's machine, from its root, and whoever may create a model may name any that the
    platform can read, but for its own folder.

    Raises:
        Invalid: `parameter-required`, or `source-location`: there is no such path, or it is neither file nor folder.
        Refused: `source-location`: it is nothing that this platform can reach.
    """
    if not word:
        raise Invalid("source_location is missing", hint="name an image", case="parameter-required")
    if URL.match(word):
        raise _refused(f"{_short(word)} is out of this platform's reach: there is no object storage here")
    if word.startswith("/"):
        return _on_this_machine(word, settings, is_image=is_image)
    if RELATIVE.fullmatch(word):
        raise _refused(f"{_short(word)} is a path that does not begin at the root of the platform's machine")
    if not IMAGE_NAME.fullmatch(word):
        raise _invalid(f"{_short(word)} is no name of an image")
    if not is_image:
        raise _refused("a model of this model_type is made of a package's folder, and not of an image")
    return Source(kind=SourceKind.NAMED, word=word)


def _on_this_machine(word: str, settings: Settings, *, is_image: bool) -> Source:
    try:
        path, name = place_of(word)
        # Where it lies without its links: they may lead anywhere.
        found = path.resolve(strict=True)
        mode = found.stat().st_mode
        is_folder = found.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        told = getattr(error, "strerror", "") or "it is no path"
        raise _invalid(f"{_short(word)} cannot be looked at on the platform's machine: {told}") from None
    if found.is_relative_to(settings.data.resolve()):
        raise _refused(f"{_short(word)} is in the platform's own folder")
    if not is_folder and other_kind(mode):
        raise _invalid(f"{_short(word)} is {other_kind(mode)}; it must be a file or a folder")
    if not is_folder or any((found / one).exists() for one in LAYOUT_FILES):
        if not is_image:
            raise _refused("a model of this model_type is made of a package's folder, and not of an image")
        return Source(kind=SourceKind.STORED, word=word, path=found, image=name)
    try:
        Project.open(found)
    except MooringError as error:
        raise Invalid(error.message, hint=error.hint, case="source-location") from None
    return Source(kind=SourceKind.PROJECT, word=word, path=found)


def _short(word: str) -> str:
    return repr(word[:200])


def _refused(message: str) -> Refused:
    hint = "an image's name, or the whole path of an archive, an OCI layout or a project on the platform's machine"
    return Refused(f"source_location: {message}", hint=hint, case="source-location")


def _invalid(message: str) -> Invalid:
    return Invalid(f"source_location: {message}", hint=_refused("").hint, case="source-location")
