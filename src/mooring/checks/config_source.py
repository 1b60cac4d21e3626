"""Where an image's config.json is: the places that are looked at, in order, and what lies in each."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.contract import ModelConfig
from mooring.contract.model_config import CONFIG_LABEL, FILE_NAME
from mooring.errors import Invalid
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mooring.image import Filesystem, ImageConfig

# Where authors and the platform's own images put it; `*` is one folder of any name.
PLACES = (
    "/home/config.json",
    "/home/model/config.json",
    "/home/mind/model/config.json",
    "/model/config.json",
    "/home/*/model/config.json",
    "/config.json",
)
# Where another program's file of the same name may lie as well, or a copy that the server reads for itself: looked at
# where there is no other. The image's WORKDIR is one more such place.
BESIDE_THE_SERVER = ("/home/*/config.json",)
# What the configuration of a model for the platform speaks of, and that of a library does not.
_OURS = re.compile(rb"apis|model.?algo", re.IGNORECASE)
# What it says besides, for a file that lies anywhere.
_SURELY_OURS = re.compile(rb"model.?(?:algo|type)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ConfigPlace:
    """A config.json that is there: `words` say where, `config` is None where it cannot be read, `problem` then why."""

    words: str
    config: ModelConfig | None = None
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfigSearch:
    """Every config.json that was found, the one that counts first; `given` tells that the caller named that one.

    `whole` tells whether all places could be looked at. `elsewhere` are files of the image that look like one and lie
    where nobody looks; they are searched for only where the image has none in its place.
    """

    places: tuple[ConfigPlace, ...] = ()
    given: bool = False
    whole: bool = True
    elsewhere: tuple[str, ...] = ()

    @property
    def chosen(self) -> ConfigPlace | None:
        """The one that counts; None if there is none."""
        return self.places[0] if self.places else None

    @property
    def words(self) -> str:
        """Where the one that counts was found and which were passed over, for the report; "" if there is none."""
        if not self.places:
            return ""
        first, *others = (place.words for place in self.places)
        return f"{first} (passed over: {', '.join(others)})" if others else first


def search(files: Filesystem | None, image_config: ImageConfig | None, given: Path | None) -> ConfigSearch:
    """Look for config.json in the caller's file, the image's label, and the image's folders, in that order.

    Raises:
        NotFound: the file or folder that was given is not there.
        Invalid: it cannot be read as a config.json.
    """
    places = [ConfigPlace(words=f"given: {given}", config=ModelConfig.load(given))] if given else []
    text = image_config.labels.get(CONFIG_LABEL) if image_config else None
    if text:
        places.append(_read(text.encode("utf-8", "surrogateescape"), f"label {CONFIG_LABEL}"))
    if files is None:
        return ConfigSearch(places=tuple(places), given=given is not None, whole=False)
    places += [place for path in _paths(files, PLACES) if (place := _in_image(files, path))]
    if len(places) == (given is not None):
        beside = (*BESIDE_THE_SERVER, posixpath.join("/", image_config.working_dir if image_config else "", FILE_NAME))
        places += [_read(data, path) for path in _paths(files, beside) if (data := _text_of_ours(files, path))]
    elsewhere = _elsewhere(files) if len(places) == (given is not None) else ()
    return ConfigSearch(places=tuple(places), given=given is not None, elsewhere=elsewhere)


def find_config(
    files: Filesystem | None, image_config: ImageConfig | None, given: Path | None
) -> tuple[ModelConfig, str]:
    """The config.json that counts, and words that say where it was found and which others were passed over.

    Raises:
        NotAsked: there is none.
        NotKnown: the one that counts cannot be read.
        NotFound, Invalid: the given one is not there, or cannot be read.
    """
    found = search(files, image_config, given)
    return the_config(found), found.words


def the_config(found: ConfigSearch) -> ModelConfig:
    """The config of a search; NotAsked and NotKnown as `find_config` has them."""
    chosen = found.chosen
    if chosen is None:
        raise NotAsked("no config.json was given" + (", and there is none in the image" if found.whole else ""))
    if chosen.config is None:
        raise NotKnown(f"config.json cannot be read: {chosen.problem}")
    return chosen.config


def is_ours(data: bytes) -> bool:
    """Whether bytes look like the configuration of a model, and not like some library's file of the same name."""
    return bool(_OURS.search(data.replace(b"\0", b"")))


def _paths(files: Filesystem, places: tuple[str, ...]) -> Iterator[str]:
    """Each place that is a file, once."""
    seen = set()
    for place in places:
        for path in _matching(files, place):
            entry = files.resolve(path)
            if entry and entry.kind is EntryKind.FILE and entry.path not in seen:
                seen.add(entry.path)
                yield path


def _matching(files: Filesystem, place: str) -> list[str]:
    if "*" not in place:
        return [place]
    pattern = re.compile(re.escape(place).replace(r"\*", "[^/]+"))
    return sorted(entry.path for entry in files.entries() if pattern.fullmatch(entry.path))


def _in_image(files: Filesystem, path: str) -> ConfigPlace | None:
    """What lies there; None for another program's config.json, which a folder of weights often has."""
    data = files.text(path)
    if data is None:
        return ConfigPlace(words=path, problem=f"{path} is larger than any {FILE_NAME}")
    return _read(data, path) if is_ours(data) else None


def _text_of_ours(files: Filesystem, path: str) -> bytes | None:
    data = files.text(path)
    return data if data is not None and is_ours(data) else None


def _elsewhere(files: Filesystem) -> tuple[str, ...]:
    paths = (entry.path for entry in files.entries() if posixpath.basename(entry.path) == FILE_NAME)
    return tuple(sorted(path for path in paths if _SURELY_OURS.search(_text_of_ours(files, path) or b"")))


def _read(data: bytes, words: str) -> ConfigPlace:
    try:
        return ConfigPlace(words=words, config=ModelConfig.parse(data, source=words))
    except Invalid as error:
        return ConfigPlace(words=words, problem=error.message, hint=error.hint)
