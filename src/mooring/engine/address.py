"""Where a container engine may be listening on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Address:
    """A place an engine may answer: its URL, and what made us look there."""

    url: str
    because: str


def addresses(environ: Mapping[str, str] = os.environ) -> Iterator[Address]:
    """The places to try, best first.

    An address that the user named (DOCKER_HOST, CONTAINER_HOST, the Docker context) is the only one that is tried:
    to fall back from it silently would start containers on an engine that nobody asked for.
    """
    for name in ("DOCKER_HOST", "CONTAINER_HOST"):
        if environ.get(name):
            yield Address(environ[name], name)
            return
    context = _context(environ)
    if context:
        yield context
        return
    for path in _default_sockets(environ):
        if path.exists():
            yield Address(f"unix://{path}", "default socket")


def _default_sockets(environ: Mapping[str, str]) -> Iterator[Path]:
    """Docker's sockets before Podman's, the system's before the user's."""
    home = Path(environ.get("HOME") or "/")
    runtime = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    yield Path("/var/run/docker.sock")
    yield runtime / "docker.sock"
    yield home / ".docker/run/docker.sock"
    yield home / ".docker/desktop/docker.sock"
    yield Path("/run/podman/podman.sock")
    yield runtime / "podman/podman.sock"


def _context(environ: Mapping[str, str]) -> Address | None:
    """The engine of the Docker context in use (colima, Docker Desktop, a remote machine), if it is not the default."""
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/") / ".docker")
    name = environ.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext")
    if not name or name == "default":
        return None
    # Docker keeps one folder a context, named by a digest of its name; the name itself is inside.
    for meta in sorted((folder / "contexts/meta").glob("*/meta.json")):
        found = _read(meta)
        host = found.get("Endpoints", {}).get("docker", {}).get("Host")
        if found.get("Name") == name and host:
            return Address(host, f"Docker context {name}")
    return None


def _read(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The JSON object in `path`; an empty one when the file is absent or is not Docker's."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
