"""Rows of keys: made with a secret that is told once, and found again by what a login sends."""

from __future__ import annotations

import hmac
import secrets
import string
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from mooring.control.key_forms import AccessPair, KeyView, Made, Password, TokenText
from mooring.control.page import LARGEST
from mooring.control.tables import Key, Project, Service
from mooring.errors import Conflict, Denied, Invalid, NotFound
from mooring.gateway.identity import digest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from mooring.control.sealing import Sealing

NAME_CHARACTERS = 64
DESCRIPTION_CHARACTERS = 200
TOKEN_BYTES = 32
# As long as the ones that clients of this API know.
ACCESS_CHARACTERS, SECRET_CHARACTERS = 20, 40
ACCESS_LETTERS = string.ascii_uppercase + string.digits
SECRET_LETTERS = string.ascii_letters + string.digits
# Whoever finds one in a log or a repository sees what it is.
PREFIX = "mooring-{kind}-"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A key that is to be made; no `project_id` for a gateway's."""

    kind: str
    user_name: str
    project_id: str = ""
    service_id: str = ""
    parent_id: str = ""
    description: str = ""
    expires_at: int | None = None


def add_key(session: Session, wanted: Wanted, *, sealing: Sealing, now_ms: int) -> Made:
    """Make the key.

    Raises:
        Invalid: a name or a description that is empty, too long or not printable, or an expiry that is past.
        NotFound: the project, or the service in it, does not exist.
    """
    _check(wanted, now_ms)
    if wanted.project_id:
        find_project(session, wanted.project_id)
    if wanted.service_id:
        service = session.get(Service, wanted.service_id)
        if service is None or service.project_id != wanted.project_id:
            raise NotFound(f"there is no service {wanted.service_id!r} in this project", case="service-unknown")
    row = Key(
        id=uuid.uuid4().hex,
        project_id=wanted.project_id or None,
        service_id=wanted.service_id or None,
        parent_id=wanted.parent_id or None,
        kind=wanted.kind,
        user_name=wanted.user_name,
        description=wanted.description,
        created_at=now_ms,
        expires_at=wanted.expires_at,
    )
    if wanted.kind == "pair":
        row.access = _random(ACCESS_LETTERS, ACCESS_CHARACTERS)
        secret = _random(SECRET_LETTERS, SECRET_CHARACTERS)
        row.sealed = sealing.seal(secret, owner=row.id)
    else:
        secret = PREFIX.format(kind=wanted.kind) + secrets.token_urlsafe(TOKEN_BYTES)
        row.digest = digest(secret.encode())
    session.add(row)
    session.flush()
    return Made(key=KeyView.of(row), secret=secret)


def find_project(session: Session, project_id: str) -> Project:
    """The project's row. NotFound (case `project-unknown`)."""
    row = session.get(Project, project_id)
    if row is None:
        raise NotFound(f"there is no project {project_id!r}", case="project-unknown")
    return row


def find_opened(session: Session, who: Password | AccessPair | TokenText, *, sealing: Sealing, now_ms: int) -> Key:
    """The row of the key that a login was made with, if it is the right one and neither revoked nor expired.

    Denied with case `password-wrong`, `key-unknown`, `token-invalid` or `token-expired`.
    """
    row = _found(session, who, sealing)
    if row is None or row.revoked_at is not None or row.project_id is None or row.service_id is not None:
        message, case = {
            Password: ("the user name or the password is wrong", "password-wrong"),
            AccessPair: ("the access key or its secret is wrong", "key-unknown"),
            TokenText: ("the token is not one of this platform's, or was revoked", "token-invalid"),
        }[type(who)]
        hint = "the password is one of the user's tokens" if isinstance(who, Password) else "mooring keys create"
        raise Denied(message, hint=hint, case=case)
    if row.expires_at is not None and row.expires_at <= now_ms:
        raise Denied("the key has expired", hint="ask for a new one", case="token-expired")
    return row


def _found(session: Session, who: Password | AccessPair | TokenText, sealing: Sealing) -> Key | None:
    if isinstance(who, AccessPair):
        row = session.scalar(select(Key).where(Key.access == who.access, Key.kind == "pair"))
        try:
            right = row is not None and hmac.compare_digest(
                sealing.unseal(row.sealed or b"", owner=row.id).encode(), who.secret.encode()
            )
        except Conflict:
            right = False
        return row if right else None
    if isinstance(who, TokenText):
        kinds = ("token", "session")
        return session.scalar(select(Key).where(Key.digest == digest(who.token.encode()), Key.kind.in_(kinds)))
    secret = digest(who.password.encode())
    named = select(Key).where(Key.digest == secret, Key.kind == "token", Key.user_name == who.user_name)
    return session.scalar(named)


def _check(wanted: Wanted, now_ms: int) -> None:
    for name, value, least, most in (
        ("user_name", wanted.user_name, 1, NAME_CHARACTERS),
        ("description", wanted.description, 0, DESCRIPTION_CHARACTERS),
    ):
        if not least <= len(value) <= most or not value.isprintable():
            raise Invalid(
                f"{name} has {len(value)} characters; it must have {least} to {most}, all printable",
                case="parameter-invalid",
            )
    if wanted.expires_at is not None and not now_ms < wanted.expires_at <= LARGEST:
        raise Invalid(
            f"expires_at is {wanted.expires_at}; it must lie in the future",
            hint=f"milliseconds since the epoch; now it is {now_ms}",
            case="parameter-invalid",
        )


def _random(letters: str, characters: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(characters))
