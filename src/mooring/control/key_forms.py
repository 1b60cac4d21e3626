"""How projects and keys are shown, and what a login sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mooring.control import tables


@dataclass(frozen=True, kw_only=True)
class ProjectView:
    """A project as it is shown; `id` is 32 hex digits."""

    id: str
    name: str
    domain_id: str
    domain_name: str
    created_at: int

    @classmethod
    def of(cls, row: tables.Project) -> ProjectView:
        """The row, as it is shown."""
        return cls(
            id=row.id,
            name=row.name,
            domain_id=row.domain_id,
            domain_name=row.domain_name,
            created_at=row.created_at,
        )


@dataclass(frozen=True, kw_only=True)
class KeyView:
    """A key as it is shown: all but its secret. `kind` is token, pair, app, gateway or session.

    With a `service_id` it opens that one service, for calls only.
    """

    id: str
    kind: str
    project_id: str
    user_name: str
    description: str
    access: str
    service_id: str
    created_at: int
    expires_at: int | None

    @classmethod
    def of(cls, row: tables.Key) -> KeyView:
        """The row, as it is shown."""
        return cls(
            id=row.id,
            kind=row.kind,
            project_id=row.project_id or "",
            user_name=row.user_name,
            description=row.description,
            access=row.access or "",
            service_id=row.service_id or "",
            created_at=row.created_at,
            expires_at=row.expires_at,
        )


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
