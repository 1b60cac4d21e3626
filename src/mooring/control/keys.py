"""Who may do what: projects, and the tokens, key pairs, app codes and sessions that open them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mooring.control.database import Database
    from mooring.control.sealing import Sealing
    from mooring.gateway.table import Callers

DOMAIN = "mooring"
DEFAULT_PROJECT = "default"
ADMIN = "admin"
TOKEN_FILE = "token"  # noqa: S105 - a file's name
SESSION_MS = 24 * 3600 * 1000


@dataclass(frozen=True, kw_only=True)
class ProjectView:
    """A project as it is shown; `id` is 32 hex digits."""

    id: str
    name: str
    domain_id: str
    domain_name: str
    created_at: int


@dataclass(frozen=True, kw_only=True)
class KeyView:
    """A key as it is shown: all but its secret. `kind` is token, pair, app, gateway or session."""

    id: str
    kind: str
    project_id: str
    user_name: str
    description: str
    access: str
    service_id: str
    created_at: int
    expires_at: int | None


@dataclass(frozen=True, kw_only=True)
class Made:
    """A key that was just made, and its secret, which is told this once; a pair has `key.access` beside it."""

    key: KeyView
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Password:
    """A user's name, and as the password one of the tokens of that user."""

    user_name: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AccessPair:
    """Both halves of a key pair, as the method `hw_ak_sk` sends them."""

    access: str
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class TokenText:
    """A token, or an earlier session's."""

    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Login:
    """A session: a token valid for 24 hours, or for as long as the key it was made with, if that is shorter."""

    token: str = field(repr=False)
    key: KeyView
    project: ProjectView
    method: str
    """password, hw_ak_sk or token."""


class Keys:
    """The keys of all projects. `on_change` is called after each change to who may call, on the caller's thread."""

    on_change: Callable[[], None]

    def __init__(self, db: Database, sealing: Sealing, now_ms: Callable[[], int]) -> None:
        raise NotImplementedError

    def start(self, data: Path) -> Made | None:
        """See that there is a project, and a token that opens it.

        The first start makes the project `default` and a token for `admin`, kept in DATA/token (mode 0600) and returned
        to be shown once. None when there is one already.
        """
        raise NotImplementedError

    def create_project(self, name: str) -> ProjectView:
        """A new project. Conflict (case `project-exists`) when there is one of that name, Invalid for a bad name."""
        raise NotImplementedError

    def projects(self) -> tuple[ProjectView, ...]:
        """All projects, by name."""
        raise NotImplementedError

    def project(self, project_id: str) -> ProjectView:
        """The project of that id. NotFound (case `project-unknown`)."""
        raise NotImplementedError

    def create_token(
        self, project_id: str, user_name: str, *, description: str = "", expires_at: int | None = None
    ) -> Made:
        """A token for one user of a project; `expires_at` in ms, None for as long as it is not revoked."""
        raise NotImplementedError

    def create_pair(
        self, project_id: str, user_name: str, *, description: str = "", expires_at: int | None = None
    ) -> Made:
        """An access key (`key.access`) and the secret that signs with it."""
        raise NotImplementedError

    def create_app_code(self, project_id: str, service_id: str, *, user_name: str = "", description: str = "") -> Made:
        """A code that opens one service, for calls only."""
        raise NotImplementedError

    def create_gateway_token(self, *, description: str = "") -> Made:
        """A token with which a gateway outside this process fetches the table and reports; it opens no project."""
        raise NotImplementedError

    def is_gateway(self, token: str) -> bool:
        """Whether this is a gateway's token, and not revoked."""
        raise NotImplementedError

    def list(self, project_id: str) -> tuple[KeyView, ...]:
        """The project's keys that are neither revoked nor sessions, oldest first; gateways' tokens for ""."""
        raise NotImplementedError

    def revoke(self, project_id: str, key_id: str) -> None:
        """Make a key open nothing any more, nor any session made with it. NotFound (case `key-unknown`)."""
        raise NotImplementedError

    def login(self, who: Password | AccessPair | TokenText, *, project: str = "", project_id: str = "") -> Login:
        """A session in the project that the key opens; a name or an id that is given must be that project's.

        Denied with case `password-wrong`, `key-unknown`, `token-invalid`, `token-expired`, `project-mismatch`.
        """
        raise NotImplementedError

    def callers(self) -> Callers:
        """Everyone who may call as of now; made anew only after a change."""
        raise NotImplementedError
