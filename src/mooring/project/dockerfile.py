"""The Dockerfile of a project: plain instructions that every builder knows, none of which needs a network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.contract import vocabulary
from mooring.project.layers import BOOT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mooring.contract import Edition
    from mooring.project.context import Layer
    from mooring.project.probe import Base

USER = "1000:100"
DEFAULT_PORT = 8080
# What an edition states, and the server's setting that keeps it.
SETTINGS = (
    (vocabulary.LINGER_AFTER_SIGTERM, "MOORING_LINGER_SECONDS"),
    (vocabulary.DRAIN_LIMIT, "MOORING_DRAIN_LIMIT_SECONDS"),
    (vocabulary.KEEP_ALIVE, "MOORING_KEEP_ALIVE_SECONDS"),
    (vocabulary.BODY_LIMIT, "MOORING_BODY_LIMIT_BYTES"),
    (vocabulary.PREDICT_TIME_LIMIT, "MOORING_PREDICT_TIMEOUT_SECONDS"),
)


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """The two halves of a project's Dockerfile: what changes seldom, and what changes with each edit."""

    foundation: str
    finish: str

    def whole(self, base: str) -> str:
        """All of it, on the image `base`."""
        return f"FROM {base}\n\n{self.foundation}\n{self.finish}"


def dockerfile(
    layers: Iterable[Layer], last: Iterable[Layer], *, base: Base, edition: Edition, labels: Mapping[str, str]
) -> Dockerfile:
    """The Dockerfile that lays `layers` and then `last` over the base.

    Each folder of the context mirrors the image from its root, so that every folder in it has a time of its own; one
    that COPY had to invent would have the time of the build, and no two builds would be equal.
    """
    port = edition.get(vocabulary.SERVICE_PORT, DEFAULT_PORT)
    foundation = [
        *(_copy(layer) for layer in layers),
        *(f"# Settings of the server, as {edition.name} has them.", _environment(base, edition, port), ""),
        *(f"EXPOSE {port}", f"USER {USER}", "WORKDIR /home/project", "ENTRYPOINT []"),
        f'CMD ["/bin/sh", "{BOOT_FILE}"]\n',
    ]
    finish = [*(_copy(layer) for layer in last), f"{label_lines(labels)}\n"]
    return Dockerfile(foundation="\n".join(foundation), finish="\n".join(finish))


def label_lines(labels: Mapping[str, str]) -> str:
    """One LABEL instruction; between single quotes every builder takes the text as it is."""
    return "LABEL " + " \\\n      ".join(f"{name}='{_single(value)}'" for name, value in labels.items())


def compact(value: object) -> str:
    """JSON in one line of ASCII without a single quote, so that it can stand in a Dockerfile."""
    return json.dumps(value, separators=(",", ":")).replace("'", "\\u0027")


def _single(value: str) -> str:
    return value.replace("'", "").replace("\n", " ")


def _copy(layer: Layer) -> str:
    return f"# {layer.purpose}\nCOPY {layer.name}/ /\n"


def _environment(base: Base, edition: Edition, port: int) -> str:
    values = {
        "MOORING_HOST": "0.0.0.0",  # noqa: S104 - a container is reached from outside of it
        "MOORING_PORT": str(port),
        "MOORING_PYTHON": base.worker.executable,
        **{name: str(edition[fact]) for fact, name in SETTINGS if fact in edition},
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if not base.user:
        values["HOME"] = "/tmp"  # noqa: S108 - a user without an entry has / for a home, and may not write there
    return "ENV " + " \\\n    ".join(f"{name}={value}" for name, value in values.items())
