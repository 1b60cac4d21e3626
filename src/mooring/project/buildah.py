"""How buildah builds, on machines that have no Docker: from a folder, with times fixed by buildah itself."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.errors import NotFound
from mooring.project.builder import BuiltImage, command, follow
from mooring.project.context import MTIME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mooring.project.context import Context


class Buildah:
    """The buildah command, with the images of the user who calls it."""

    name = "buildah"

    def image(self, reference: str) -> BuiltImage | None:
        """See `Builder`."""
        try:
            told: dict[str, Any] = json.loads(command("buildah", "inspect", "--type", "image", reference))
        except NotFound:
            return None
        config = told.get("OCIv1") or {}
        inner = config.get("config") or {}
        return BuiltImage(
            id=told["FromImageID"],
            size=self._size(reference),
            architecture=config.get("architecture") or "",
            entrypoint=tuple(inner.get("Entrypoint") or ()),
            labels=inner.get("Labels") or {},
        )

    def _size(self, reference: str) -> int:
        listed = json.loads(command("buildah", "images", "--json", reference) or "[]")
        return _bytes(str(listed[0].get("size", ""))) if listed else 0

    def pull(self, reference: str, *, platform: str) -> None:
        """See `Builder`."""
        command("buildah", "pull", "--quiet", *_platform(platform), reference)

    def shell(self, reference: str, script: str, *, platform: str) -> str:
        """See `Builder`."""
        container = command("buildah", "from", "--pull-never", *_platform(platform), reference).strip()
        try:
            # chroot: enough to ask programs for their version, and possible where containers cannot be started.
            return command("buildah", "run", "--isolation", "chroot", container, "--", "/bin/sh", "-c", script)
        finally:
            command("buildah", "rm", container)

    def build(self, context: Context, *, tag: str, platform: str) -> None:
        """See `Builder`."""
        with tempfile.TemporaryDirectory(prefix="mooring-context-") as work:
            context.write_folder(Path(work), share=True)
            command(*_build(tag), "--layers", "--timestamp", str(MTIME), *_platform(platform), work)

    def build_folder(self, folder: Path, options: Sequence[str], *, tag: str, say: Callable[[str], None]) -> None:
        """See `Builder`."""
        follow((*_build(tag), "--layers", *options, str(folder)), say)

    def load(self, archive: Path, *, tag: str) -> None:
        """See `Builder`."""
        container = command("buildah", "from", "scratch").strip()
        try:
            command("buildah", "add", "--quiet", container, str(archive), "/")
            command("buildah", "config", "--cmd", "/bin/bash", container)
            command("buildah", "commit", "--quiet", "--format", "docker", container, tag)
        finally:
            command("buildah", "rm", container)

    def tags(self, name: str) -> tuple[str, ...]:
        """See `Builder`."""
        # Asked for a name without a tag it would look for `latest`; names of our own have localhost/ before them.
        every = command("buildah", "images", "--noheading", "--format", "{{.Name}} {{.Tag}}").splitlines()
        pairs = (line.split() for line in every)
        return tuple(pair[1] for pair in pairs if pair[0] in {name, f"localhost/{name}"})

    def untag(self, reference: str) -> None:
        """See `Builder`."""
        with contextlib.suppress(NotFound):
            command("buildah", "rmi", reference)


def _build(tag: str) -> tuple[str, ...]:
    return ("buildah", "build", "--format", "docker", "--pull-never", "--tag", tag)


def _platform(platform: str) -> tuple[str, ...]:
    return ("--platform", platform) if platform else ()


def _bytes(shown: str) -> int:
    """Bytes from buildah's way to show a size: `512 MB`, in powers of 1000."""
    number, _, unit = shown.partition(" ")
    powers = {"B": 0, "KB": 1, "kB": 1, "MB": 2, "GB": 3, "TB": 4}
    try:
        return int(float(number) * 1000 ** powers.get(unit, 0))
    except ValueError:
        return 0
