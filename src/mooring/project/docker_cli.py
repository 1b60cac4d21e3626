"""How the docker command builds, so that the same folder gives the same layers and never an image index."""

from __future__ import annotations

import contextlib
import json
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mooring.errors import NotFound
from mooring.project.builder import BuiltImage, command, failure, feed, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mooring.project.context import Context


class DockerCli:
    """The docker command, with buildx when it is installed and the engine's own builder otherwise."""

    name = "docker"

    def why_not(self) -> str:
        """Why the engine does not answer; empty if it does."""
        asked = ("docker", "version", "--format", "{{.Server.Version}}")
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else (done.stderr or done.stdout).strip().splitlines()[-1]

    @cached_property
    def _builder(self) -> tuple[str, ...]:
        # The builder that belongs to the engine itself: one in a container of its own cannot see the local base image.
        # Provenance and SBOMs are what turns a manifest into an index, which some registries refuse.
        if subprocess.run(("docker", "buildx", "version"), capture_output=True, check=False).returncode:
            return ("docker", "build")
        context = command("docker", "context", "show").strip()
        return ("docker", "buildx", "build", "--builder", context, "--load", "--provenance=false", "--sbom=false")

    @property
    def _environment(self) -> dict[str, str]:
        return {} if "buildx" in self._builder else {"DOCKER_BUILDKIT": "0"}

    def image(self, reference: str) -> BuiltImage | None:
        """See `Builder`."""
        try:
            found: dict[str, Any] = json.loads(command("docker", "image", "inspect", reference))[0]
        except NotFound:
            return None
        config = found.get("Config") or {}
        return BuiltImage(
            id=found["Id"],
            size=found["Size"],
            architecture=found.get("Architecture") or "",
            entrypoint=tuple(config.get("Entrypoint") or ()),
            labels=config.get("Labels") or {},
        )

    def pull(self, reference: str, *, platform: str) -> None:
        """See `Builder`."""
        command("docker", "pull", "--quiet", *_platform(platform), reference)

    def shell(self, reference: str, script: str, *, platform: str) -> str:
        """See `Builder`."""
        return command(
            *("docker", "run", "--rm", "--network", "none", *_platform(platform)),
            *("--entrypoint", "/bin/sh", reference, "-c", script),
        )

    def build(self, context: Context, *, tag: str, platform: str) -> None:
        """See `Builder`."""
        feed(
            (*self._builder, "--quiet", "--tag", tag, *_platform(platform), "-"),
            context.write_tar,
            environment=self._environment,
        )

    def build_folder(self, folder: Path, options: Sequence[str], *, tag: str, say: Callable[[str], None]) -> None:
        """See `Builder`."""
        follow((*self._builder, "--tag", tag, *options, str(folder)), say, environment=self._environment)

    def load(self, archive: Path, *, tag: str) -> None:
        """See `Builder`."""
        asked = ("docker", "import", "--change", 'CMD ["/bin/bash"]', str(archive), tag)
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode:
            raise failure(asked[:2], done.stderr)

    def tags(self, name: str) -> tuple[str, ...]:
        """See `Builder`."""
        return tuple(command("docker", "image", "ls", "--format", "{{.Tag}}", name).split())

    def untag(self, reference: str) -> None:
        """See `Builder`."""
        with contextlib.suppress(NotFound):
            command("docker", "image", "rm", reference)


def _platform(platform: str) -> tuple[str, ...]:
    return ("--platform", platform) if platform else ()
