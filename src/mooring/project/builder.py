"""What a program that builds images can do for us, and which such program this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from mooring.errors import MooringError, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from mooring.project.context import Context

TAIL_LINES = 15


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image that the engine holds: its id, unpacked size in bytes and the parts of its config that we read."""

    id: str
    size: int
    architecture: str = ""
    entrypoint: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


class Builder(Protocol):
    """A program that makes images: one platform a call, a plain image manifest and never an index."""

    name: str

    def image(self, reference: str) -> BuiltImage | None:
        """The image the engine holds under `reference`; None if it holds none."""

    def pull(self, reference: str, *, platform: str) -> None:
        """Fetch an image from its registry; `platform` like linux/amd64, or empty for the engine's own."""

    def shell(self, reference: str, script: str, *, platform: str) -> str:
        """What `script` prints when /bin/sh runs it in the image, without network."""

    def build(self, context: Context, *, tag: str, platform: str) -> None:
        """Build an image from what we laid out."""

    def build_folder(self, folder: Path, options: Sequence[str], *, tag: str, say: Callable[[str], None]) -> None:
        """Build a folder that has its own Dockerfile; `say` gets what its steps print."""

    def load(self, archive: Path, *, tag: str) -> None:
        """Make an image of one layer from the tar archive of a whole file system."""

    def tags(self, name: str) -> tuple[str, ...]:
        """The tags that the engine holds of the repository `name`."""

    def untag(self, reference: str) -> None:
        """Let go of a name, if it is there; what other images need of it stays."""


def find_builder() -> Builder:
    """Docker when it answers, else buildah when it is installed.

    Raises:
        Unavailable: neither can build an image here.
    """
    from mooring.project.buildah import Buildah  # noqa: PLC0415 - only where it is the one that is used
    from mooring.project.docker_cli import DockerCli  # noqa: PLC0415 - the same

    reasons = []
    if shutil.which("docker"):
        docker = DockerCli()
        reason = docker.why_not()
        if not reason:
            return docker
        reasons.append(f"docker does not answer: {reason}")
    else:
        reasons.append("there is no docker command")
    if shutil.which("buildah"):
        return Buildah()
    reasons.append("and no buildah")
    raise Unavailable(
        f"no program to build images with: {', '.join(reasons)}",
        hint="start Docker (or set DOCKER_HOST), or install one: apt install docker.io, or apt install buildah",
    )


def command(*arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """What a command prints; a failure is raised as `failure` understands its words."""
    done = subprocess.run(
        arguments, capture_output=True, text=True, errors="replace", check=False, env=_merged(environment)
    )
    if done.returncode:
        raise failure(arguments[:2], done.stderr or done.stdout)
    return done.stdout


def feed(
    arguments: Sequence[str], write: Callable[[IO[bytes]], None], *, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command whose standard input `write` produces, so that nothing is laid down on disk first."""
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=output, stderr=output, env=_merged(environment)
        )
        assert process.stdin is not None  # noqa: S101 - asked for above; for the type checker
        try:
            with process.stdin:
                write(process.stdin)
        except BrokenPipeError:
            pass  # it stopped reading: its own words, below, say why
        except BaseException:
            process.kill()
            raise
        finally:
            process.wait()
        if process.returncode:
            output.seek(0)
            raise failure(arguments[:2], output.read())


def follow(
    arguments: Sequence[str], say: Callable[[str], None], *, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command that may take long, and pass on its lines as they come."""
    lines: list[str] = []
    with subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_merged(environment),
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            del lines[:-TAIL_LINES]
            say(f"  {line.rstrip()}")
    if process.returncode:
        raise failure(arguments[:2], "".join(lines))


def failure(program: Sequence[str], said: str) -> MooringError:
    """The error for what an engine said when it failed: its last lines, and who can mend it."""
    lines = [line.rstrip() for line in said.strip().splitlines() if line.strip() and "DEPRECATED" not in line]
    tail = "\n  ".join(lines[-TAIL_LINES:]) or "it said nothing"
    low = said.lower()
    for words, kind, hint in _MEANINGS:
        if any(word in low for word in words):
            return kind(f"{' '.join(program)} failed: {tail}", hint=hint)
    return Refused(f"{' '.join(program)} failed:\n  {tail}")


_MEANINGS: tuple[tuple[tuple[str, ...], type[MooringError], str], ...] = (
    (("no space left on device",), Unavailable, "free some space for the engine: docker system df shows what it holds"),
    (("cannot connect to the docker daemon", "error during connect"), Unavailable, "start it, or set DOCKER_HOST"),
    (
        ("exec format error",),
        Refused,
        "the image is for another processor than this machine's; name a platform with --platform",
    ),
    (
        (
            "pull access denied",
            "manifest unknown",
            "not found: manifest",
            "no such image",
            "repository does not exist",
            "image not known",
        ),
        NotFound,
        "check the spelling, log in to the registry, or use --base debian, which needs none",
    ),
    (
        ("i/o timeout", "no such host", "connection refused", "tls handshake", "dial tcp", "client.timeout"),
        Unavailable,
        "the registry is out of reach; --base debian needs none",
    ),
)


def _merged(environment: Mapping[str, str] | None) -> dict[str, str] | None:
    return {**os.environ, **environment} if environment else None
