"""Who the user is at a registry, as `docker login` and `podman login` left it: in files, or with a helper program."""

from __future__ import annotations

import base64
import json
import logging
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.image.registry_reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LOG = logging.getLogger(__name__)
# The name under which `docker login` keeps what belongs to Docker Hub.
_HUB_KEY = "https://index.docker.io/v1/"
# The end of a program's name: a slash would make it any program at all.
_HELPER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_HELPER_SECONDS = 30
_LARGEST_FILE = 4 << 20
# What a helper gives as the user's name when the secret is a token to ask for tokens with.
_TOKEN_USER = "<token>"  # noqa: S105 - a name, not a secret


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A user name and a secret for one registry; `renewing` where the secret is an identity token. Never printed."""

    user: str = ""
    secret: str = field(default="", repr=False)
    renewing: bool = False

    @property
    def header(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search for credentials came to: nothing is not an error; `troubles` says what could not be asked."""

    found: Credentials | None = None
    troubles: tuple[str, ...] = ()


def find_credentials(host: str, repository: str, environ: Mapping[str, str]) -> Search:
    """What the user's files and helpers hold for a registry; the first that holds anything wins, Docker's first."""
    troubles: list[str] = []
    for file in _files(environ):
        try:
            config = _config(file)
            found = _helped(config, host, environ, troubles) or _written(config, host, repository)
        except (OSError, ValueError, RecursionError) as error:
            troubles.append(f"{file} cannot be read ({type(error).__name__})")
            continue
        if found:
            _LOG.debug("registry.credentials", extra={"registry": host, "file": str(file)})
            return Search(found=found, troubles=tuple(troubles))
    return Search(troubles=tuple(troubles))


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    home = environ.get("HOME")
    if folder := environ.get("DOCKER_CONFIG") or (home and f"{home}/.docker"):
        yield Path(folder) / "config.json"
    if file := environ.get("REGISTRY_AUTH_FILE"):
        yield Path(file)
    if folder := environ.get("XDG_RUNTIME_DIR"):
        yield Path(folder) / "containers" / "auth.json"
    if folder := environ.get("XDG_CONFIG_HOME") or (home and f"{home}/.config"):
        yield Path(folder) / "containers" / "auth.json"


def _config(file: Path) -> dict[str, Any]:
    """The file's object; an empty one where there is no file."""
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        data = stream.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise ValueError("too large")
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - as json.loads says that a file is not what it should be
    return value


def _keys(host: str, repository: str) -> list[str]:
    """The names an entry may have, the narrowest first: podman keeps them by namespace also, Docker with a scheme."""
    parts = repository.split("/")
    narrow = [f"{host}/{'/'.join(parts[:count])}" for count in range(len(parts), 0, -1)]
    hub = [_HUB_KEY, "index.docker.io"] if host == DOCKER_HUB else []
    return [*narrow, host, *hub, f"https://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/"]


def _written(config: dict[str, Any], host: str, repository: str) -> Credentials | None:
    entries = config.get("auths")
    if not isinstance(entries, dict):
        return None
    named = (entries.get(key) for key in _keys(host, repository))
    return next((found for entry in named if isinstance(entry, dict) and (found := _entry(entry))), None)


def _entry(entry: dict[str, Any]) -> Credentials | None:
    if (token := entry.get("identitytoken")) and isinstance(token, str):
        return Credentials(secret=token, renewing=True)
    auth, user, secret = (entry.get(name) for name in ("auth", "username", "password"))
    if isinstance(auth, str) and auth:
        user, _, secret = base64.b64decode(auth, validate=True).decode().rstrip("\0").partition(":")
    return Credentials(user=user, secret=secret) if isinstance(user, str) and isinstance(secret, str) and user else None


def _helped(config: dict[str, Any], host: str, environ: Mapping[str, str], troubles: list[str]) -> Credentials | None:
    """What the helper program for this registry tells; a helper that fails is a trouble, not an error."""
    own = config.get("credHelpers")
    server = _HUB_KEY if host == DOCKER_HUB else host
    named = own if isinstance(own, dict) else {}
    helper = named.get(host) or named.get(server) or config.get("credsStore")
    if not helper:
        return None
    if not isinstance(helper, str) or not _HELPER.fullmatch(helper):
        troubles.append(f"{helper!r} is not the name of a credential helper")
        return None
    try:
        return _asked(f"docker-credential-{helper}", server, environ)
    except (OSError, ValueError, RecursionError, subprocess.SubprocessError) as error:
        # What it printed may be the secret itself.
        troubles.append(f"docker-credential-{helper} cannot be asked ({type(error).__name__})")
        return None


def _asked(program: str, server: str, environ: Mapping[str, str]) -> Credentials | None:
    told = subprocess.run(
        [program, "get"],
        input=server.encode(),
        env=dict(environ),
        capture_output=True,
        timeout=_HELPER_SECONDS,
        check=False,
    )
    if told.returncode:
        if b"credentials not found" in told.stdout:
            return None
        raise ValueError("failed")
    value = json.loads(told.stdout)
    told_object = value if isinstance(value, dict) else {}
    user, secret = told_object.get("Username"), told_object.get("Secret")
    if not isinstance(user, str) or not isinstance(secret, str) or not secret:
        raise ValueError("no Username and Secret")
    return Credentials(user="" if user == _TOKEN_USER else user, secret=secret, renewing=user == _TOKEN_USER)
