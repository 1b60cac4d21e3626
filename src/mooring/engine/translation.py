"""The errors of the engine's SDK, as ours."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions

from mooring.errors import Conflict, Invalid, MooringError, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

# Podman answers 500 to many things that have a status of their own with Docker.
NAME_TAKEN = "that name is already in use"
INSTALL_HINT = "start Docker or Podman (its socket service), or set DOCKER_HOST to the engine's address"


@contextlib.contextmanager
def translated(what: str = "") -> Iterator[None]:
    """Raise ours for the SDK's; `what` names the thing that a 404 or 409 is about."""
    try:
        yield
    except docker.errors.APIError as error:
        raise mooring_error(error, what) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise Unavailable(f"the container engine does not answer: {root_cause(error)}", hint=INSTALL_HINT) from error


def mooring_error(error: docker.errors.APIError, what: str = "") -> MooringError:
    """The engine's refusal, sorted by its status."""
    said = f"{what}: {explanation(error)}" if what else explanation(error)
    kinds: dict[int, type[MooringError]] = {400: Invalid, 404: NotFound, 409: Conflict}
    if NAME_TAKEN in said:
        return Conflict(said)
    return kinds.get(error.status_code, Unavailable)(said)


def explanation(error: docker.errors.APIError) -> str:
    """What the engine said."""
    return str(error.explanation or error)


def root_cause(error: BaseException) -> str:
    """The innermost message: the SDK wraps `[Errno 2] No such file` in four layers."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return str(error)
