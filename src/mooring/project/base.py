"""How a base image is made of Debian packages, on a machine that reaches Debian's packages but no image registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from platform import machine
from typing import TYPE_CHECKING

from mooring.errors import Invalid, MooringError, Refused, Unavailable
from mooring.project.cache import digest
from mooring.project.context import MTIME

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.project.builder import Builder

REPOSITORY = "mooring-base"
SUITE = "bookworm"
# What the contract asks of an image for batch (IMG-DEPS-01) and what an HTTPS client in a handler needs.
PACKAGES = ("ca-certificates", "openjdk-17-jre-headless", "python3", "unzip", "zip")
# Only a reader would miss them, and there is none in a container.
PATHS_LEFT_OUT = ("doc", "info", "locale", "man", "lintian")
# The platform runs containers as ma-user in ma-group, 1000:100. Debian has group 100 already, as `users`: a number
# should have one name, so it is renamed.
USERS = """
set -e
sed -i 's/^users:/ma-group:/' "$1/etc/group" "$1/etc/gshadow"
echo 'ma-user:x:1000:100::/home/ma-user:/bin/bash' >>"$1/etc/passwd"
echo 'ma-user:*:19000:0:99999:7:::' >>"$1/etc/shadow"
mkdir -p "$1/home/ma-user"
chown 1000:100 "$1/home/ma-user"
[ -e "$1/usr/bin/python" ] || ln -s python3 "$1/usr/bin/python"
"""
# How apt reached its mirrors from this machine is nothing to the machines the image will run on.
CLEAN = """
set -e
rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/resolv.conf" "$1/etc/hostname"
rm -rf "$1/var/log/"* "$1/var/cache/debconf/"*-old "$1/var/lib/dpkg/"*-old
"""
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
APT_HINT = "apt install mmdebstrap, as root on Debian or Ubuntu; or build on an image you have: --base IMAGE"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A Debian base: the same recipe is the same tag."""

    packages: tuple[str, ...] = PACKAGES

    @classmethod
    def of(cls, *, system_packages: tuple[str, ...] = (), platform: str = "") -> Recipe:
        """The recipe for a project's packages and a platform like linux/amd64 (empty: this machine's own).

        Raises:
            Invalid: something is no name of a Debian package.
            Refused: the platform is not this machine's, whose processor runs the packages' scripts.
        """
        here = "linux/" + MACHINES.get(machine(), machine())
        if platform and not platform.startswith(here):
            raise Refused(
                f"the Debian base is made for this machine's own {here}, not for {platform}",
                hint="name an image for that platform: --base IMAGE",
            )
        for name in system_packages:
            if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name):
                raise Invalid(f"system_packages: {name!r} is not the name of a Debian package")
        return cls(packages=tuple(sorted({*PACKAGES, *system_packages})))

    @property
    def tag(self) -> str:
        """The name of the image in the engine."""
        name = digest(SUITE, machine(), *self.packages, USERS, CLEAN, *PATHS_LEFT_OUT)[:12]
        return f"{REPOSITORY}:{SUITE}-{name}"


def debian_base(builder: Builder, recipe: Recipe, *, say: Callable[[str], None]) -> str:
    """The reference of the recipe's image; made when the engine does not hold it yet, in about 45 s.

    Raises:
        Unavailable: mmdebstrap is missing, or the packages cannot be fetched.
        Refused: we are not root.
    """
    if builder.image(recipe.tag) is not None:
        return recipe.tag
    if not shutil.which("mmdebstrap"):
        raise Unavailable("the Debian base is made by mmdebstrap, which is not installed", hint=APT_HINT)
    if os.geteuid():
        raise Refused("the Debian base can only be made as root", hint="run it once with sudo, or use --base IMAGE")
    say(f"making the base image {recipe.tag} of Debian packages (once, about 45 s)")
    with tempfile.TemporaryDirectory(prefix="mooring-base-") as work:
        archive = Path(work) / "base.tar"
        _bootstrap(recipe, archive)
        builder.load(archive, tag=recipe.tag)
    return recipe.tag


def _bootstrap(recipe: Recipe, archive: Path) -> None:
    asked = [
        *("mmdebstrap", "--mode=root", "--variant=apt", f"--include={','.join(recipe.packages)}"),
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in PATHS_LEFT_OUT),
        *(f"--aptopt={option}" for option in _apt_options()),
        # The JRE's scripts fail without the folder of the manual pages they do not have.
        '--essential-hook=mkdir -p "$1/usr/share/man/man1"',
        f"--customize-hook={USERS}",
        f"--customize-hook={CLEAN}",
        *(SUITE, str(archive)),
        *_mirrors(),
    ]
    done = subprocess.run(
        asked,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(MTIME), "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise _failure(done.stderr)


def _failure(said: str) -> MooringError:
    lines = [line for line in said.splitlines() if line.startswith(("E:", "Err"))]
    unknown = [line for line in lines if "Unable to locate package" in line]
    if unknown:
        return Refused("; ".join(unknown).replace("E: ", ""), hint="mend system_packages in mooring.toml")
    told = "\n  ".join(lines) or said[-500:]
    return Unavailable(
        f"mmdebstrap could not make the Debian base:\n  {told}",
        hint="is a mirror of Debian's packages in reach? or build on an image you have: --base IMAGE",
    )


def _mirrors() -> tuple[str, ...]:
    """The mirrors this machine's own apt has for the suite; none, and so mmdebstrap's own choice, if it has not."""
    asked = ("apt-get", "indextargets", "--format", "$(CREATED_BY)|$(ORIGIN)|$(CODENAME)|$(REPO_URI)")
    try:
        listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    rows = [line.split("|") for line in listed.splitlines() if line.startswith("Packages|Debian|")]
    # An address with a password in it would be written into the image.
    pairs = sorted({(row[2], row[3]) for row in rows if row[2].partition("-")[0] == SUITE and "@" not in row[3]})
    if SUITE not in {suite for suite, _ in pairs}:
        return ()
    return tuple(f"deb {uri} {suite} main" for suite, uri in pairs)


def _apt_options() -> tuple[str, ...]:
    """How this machine's apt reaches its mirrors: its proxies, where it has any."""
    try:
        told = subprocess.run(("apt-config", "dump"), capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    lines = (line.strip().rstrip(";") for line in told.splitlines())
    return tuple(line for line in lines if line.startswith(("Acquire::http::Proxy ", "Acquire::https::Proxy ")))
