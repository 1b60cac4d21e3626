"""What manifests, indexes and image configurations say, OCI's and Docker's; nothing in them is believed."""

from __future__ import annotations

import json
import platform
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid, NotFound
from mooring.image.image import ImageConfig, Layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_LIST)
# What registries themselves accept at most; real ones have a few KiB.
LARGEST_MANIFEST = 4 << 20
# Engines refuse more than some 130 layers.
MOST_LAYERS = 256
# As images name what `uname` calls otherwise.
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_ATTESTATION = "vnd.docker.reference.type"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """What one document says of another: `size` in bytes, `platform` as `linux/arm64/v8`, "" where it is not said."""

    media_type: str
    digest: str
    size: int
    platform: str = ""
    attestation: bool = False


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One image: its configuration and its layers, the oldest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]

    def __post_init__(self) -> None:
        if len(self.layers) > MOST_LAYERS:
            raise Invalid(f"an image of {len(self.layers)} layers; engines take some 130 at most")


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object; Invalid for anything else, nested too deep for Python's reader included."""
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise Invalid(f"{what} is nested too deep to be read") from error
    except ValueError as error:
        raise Invalid(f"{what} is not JSON ({_short(str(error))})") from error
    if not isinstance(value, dict):
        raise Invalid(f"{what} is not a JSON object")
    return value


def media_type_of(document: dict[str, Any], declared: str, what: str) -> str:
    """Which kind of manifest or index it is; the document's own word counts, then the declared one, then its keys."""
    if document.get("schemaVersion") == 1 or "fsLayers" in document:
        raise Invalid(
            f"{what} is a manifest of schema 1, which engines no longer pull",
            hint="push the image again with an engine of 2017 or later",
        )
    own = document.get("mediaType")
    for said in (own, declared.partition(";")[0].strip()):
        if said in MANIFESTS or said in INDEXES:
            return str(said)
    if isinstance(document.get("manifests"), list):
        return OCI_INDEX
    if isinstance(document.get("layers"), list):
        return OCI_MANIFEST
    raise Invalid(f"{what} is no manifest of an image", hint="expected are layers, or manifests for several platforms")


def index_entries(document: dict[str, Any], what: str) -> tuple[Descriptor, ...]:
    """The images that an index offers, attestations left out."""
    found = _descriptors(document.get("manifests"), f"{what}: manifests")
    return tuple(entry for entry in found if not entry.attestation)


def manifest_in(document: dict[str, Any], what: str) -> Manifest:
    """What a manifest lists; Invalid where a size or a digest is missing or makes no sense."""
    layers = _descriptors(document.get("layers"), f"{what}: layers")
    return Manifest(config=_descriptor(document.get("config"), f"{what}: config"), layers=layers)


def chosen(entries: Sequence[Descriptor], wanted: str, what: str) -> Descriptor:
    """The entry for a platform such as `linux/arm64`; without one this machine's, else the first for Linux.

    NotFound, saying which there are, when the platform is not among them.
    """
    preferred = wanted or f"linux/{_machine()}"
    fitting = [entry for entry in entries if f"{entry.platform}/".startswith(f"{preferred}/")]
    if not fitting and not wanted:
        fitting = [entry for entry in entries if entry.platform.startswith("linux/")] or list(entries)
    if fitting:
        return fitting[0]
    offered = ", ".join(entry.platform or "an unnamed platform" for entry in entries[:20]) or "no image at all"
    raise NotFound(f"{what} has no image for {wanted or 'any platform'}; it has {offered}")


def image_config(document: dict[str, Any]) -> ImageConfig:
    """How a container starts. What is of the wrong type counts as not said: engines see to it that it does not run."""
    inner = document.get("config")
    settings = inner if isinstance(inner, dict) else {}
    return ImageConfig(
        architecture=_text(document.get("architecture")),
        os=_text(document.get("os")) or "linux",
        variant=_text(document.get("variant")),
        user=_text(settings.get("User")),
        entrypoint=_words(settings.get("Entrypoint")),
        cmd=_words(settings.get("Cmd")),
        env=dict(_pair(word) for word in _words(settings.get("Env"))),
        working_dir=_text(settings.get("WorkingDir")),
        exposed_ports=_keys(settings.get("ExposedPorts")),
        volumes=_keys(settings.get("Volumes")),
        labels=_strings(settings.get("Labels")),
        stop_signal=_text(settings.get("StopSignal")),
        history=tuple(_text(step.get("created_by")) for step in _steps(document)),
    )


def layers_of(manifest: Manifest, document: dict[str, Any]) -> tuple[Layer, ...]:
    """The layers, each with the step of the configuration's history that made it, where these can be told apart."""
    steps = [_text(step.get("created_by")) for step in _steps(document) if step.get("empty_layer") is not True]
    if len(steps) != len(manifest.layers):
        steps = [""] * len(manifest.layers)
    return tuple(
        Layer(digest=layer.digest, size=layer.size, media_type=layer.media_type, created_by=step)
        for layer, step in zip(manifest.layers, steps, strict=True)
    )


def diff_ids(document: dict[str, Any]) -> tuple[str, ...]:
    """The digests of the layers unpacked, as the configuration has them."""
    rootfs = document.get("rootfs")
    return _words(rootfs.get("diff_ids")) if isinstance(rootfs, dict) else ()


def _steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    history = document.get("history")
    return [step for step in history if isinstance(step, dict)] if isinstance(history, list) else []


def _descriptors(value: object, what: str) -> tuple[Descriptor, ...]:
    if not isinstance(value, list):
        raise Invalid(f"{what} is not a list")
    return tuple(_descriptor(entry, f"{what}[{number}]") for number, entry in enumerate(value))


def _descriptor(value: object, what: str) -> Descriptor:
    entry = value if isinstance(value, dict) else {}
    digest, size, platform = entry.get("digest"), entry.get("size"), entry.get("platform")
    # Digests become file names and URLs: what is none never gets there.
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Invalid(f"{what} has the digest {_short(repr(digest))}", hint="expected is sha256: and 64 digits")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
        raise Invalid(f"{what} has the size {_short(repr(size))}", hint="expected is a number of bytes")
    notes = entry.get("annotations")
    named = _platform(platform if isinstance(platform, dict) else {})
    noted = _text(notes.get(_ATTESTATION)) if isinstance(notes, dict) else ""
    return Descriptor(
        media_type=_text(entry.get("mediaType")),
        digest=digest,
        size=size,
        platform=named,
        attestation=noted == "attestation-manifest" or named == "unknown/unknown",
    )


def _platform(value: dict[str, Any]) -> str:
    words = [_text(value.get(name)) for name in ("os", "architecture", "variant")]
    return "/".join(word for word in words if word)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _keys(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, dict) else ()


def _strings(value: object) -> dict[str, str]:
    return {name: _text(said) for name, said in value.items()} if isinstance(value, dict) else {}


def _pair(word: str) -> tuple[str, str]:
    name, _, value = word.partition("=")
    return name, value


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}..."  # noqa: PLR2004 - what fits a line


def _machine() -> str:
    machine = platform.machine().lower()
    return MACHINES.get(machine, machine)


def platforms_of(entries: Iterable[Descriptor]) -> tuple[str, ...]:
    """The platforms that an index offers, in its order, each once."""
    return tuple(dict.fromkeys(entry.platform for entry in entries if entry.platform))
