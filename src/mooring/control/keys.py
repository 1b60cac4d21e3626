"""Who may do what: projects, and the tokens, key pairs, app codes and sessions that open them."""

from __future__ import annotations

import logging
import re
import secrets
import string
import threading
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from mooring.control.callers import Known, read_callers
from mooring.control.key_forms import AccessPair, KeyView, Login, Made, Password, ProjectView, TokenText
from mooring.control.page import LARGEST
from mooring.control.private_file import write_private
from mooring.control.tables import Key, Project, Service
from mooring.errors import Conflict, Denied, Invalid, NotFound
from mooring.gateway.identity import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from sqlalchemy.orm import Session

    from mooring.control.database import Database
    from mooring.control.sealing import Sealing
    from mooring.gateway.table import Callers

__all__ = ["AccessPair", "KeyView", "Keys", "Login", "Made", "Password", "ProjectView", "TokenText"]

DOMAIN = "mooring"
DEFAULT_PROJECT = "default"
ADMIN = "admin"
TOKEN_FILE = "token"  # noqa: S105 - a file's name
SESSION_MS = 24 * 3600 * 1000
NAME_CHARACTERS = 64
DESCRIPTION_CHARACTERS = 200
# As long as the ones that clients of this API know.
ACCESS_CHARACTERS, SECRET_CHARACTERS = 20, 40
_LETTERS = string.ascii_letters + string.digits
_PROJECT_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{NAME_CHARACTERS - 1}}}")


class Keys:
    """The keys of all projects. `on_change` is called after each change to who may call, on the caller's thread."""

    on_change: Callable[[], None]

    def __init__(self, db: Database, sealing: Sealing, now_ms: Callable[[], int]) -> None:
        self._db = db
        self._sealing = sealing
        self._now_ms = now_ms
        self.on_change = lambda: None
        self._turn = threading.Lock()
        self._changes = 0
        self._known: Known | None = None
        self._known_at = -1

    def start(self, data: Path) -> Made | None:
        """See that there is a project, and a token that opens it.

        The first start makes the project `default` and a token for `admin`, kept in DATA/token (mode 0600) and returned
        to be shown once. None when there is one already.
        """
        with self._db.begin() as session:
            project = session.scalar(select(Project).where(Project.name == DEFAULT_PROJECT))
            if project is None:
                project = self._new_project(session, DEFAULT_PROJECT)
            living = select(Key.id).where(Key.kind == "token", Key.project_id == project.id, self._is_living())
            if session.scalar(living.limit(1)):
                return None
            made = self._new_secret(session, kind="token", project_id=project.id, user_name=ADMIN)
            # Before the commit: a token that opens something and is written nowhere would be of no use to anybody.
            write_private(data / TOKEN_FILE, f"{made.secret}\n".encode(), replace=True)
        self._changed()
        return made

    def create_project(self, name: str) -> ProjectView:
        """A new project. Conflict (case `project-exists`) when there is one of that name, Invalid for a bad name."""
        if not _PROJECT_NAME.fullmatch(name):
            raise Invalid(
                f"{name[:NAME_CHARACTERS]!r} is no name for a project",
                hint=f"1 to {NAME_CHARACTERS} letters, digits, dots, dashes and underscores; first a letter or a digit",
                case="parameter-invalid",
            )
        with self._db.begin() as session:
            if session.scalar(select(Project.id).where(Project.name == name)):
                raise Conflict(f"there is a project {name!r} already", case="project-exists")
            return ProjectView.of(self._new_project(session, name))

    def projects(self) -> tuple[ProjectView, ...]:
        """All projects, by name."""
        with self._db.read() as session:
            return tuple(map(ProjectView.of, session.scalars(select(Project).order_by(Project.name))))

    def project(self, project_id: str) -> ProjectView:
        """The project of that id. NotFound (case `project-unknown`)."""
        with self._db.read() as session:
            return ProjectView.of(_project(session, project_id))

    def create_token(
        self, project_id: str, user_name: str, *, description: str = "", expires_at: int | None = None
    ) -> Made:
        """A token for one user of a project; `expires_at` in ms, None for as long as it is not revoked."""
        fields = {"project_id": project_id, "user_name": user_name, "expires_at": expires_at}
        return self._create("token", description=description, **fields)

    def create_pair(
        self, project_id: str, user_name: str, *, service_id: str = "", description: str = "", **more: int | None
    ) -> Made:
        """An access key (`key.access`) and the secret that signs with it; `expires_at` as for a token.

        With a service's id it is an app's: it opens that one service, for calls only.
        """
        fields = {"project_id": project_id, "user_name": user_name, "service_id": service_id}
        return self._create("pair", description=description, **fields, **more)

    def create_app_code(self, project_id: str, service_id: str, *, user_name: str = "", description: str = "") -> Made:
        """A code that opens one service, for calls only."""
        fields = {"project_id": project_id, "user_name": user_name or "app", "service_id": service_id}
        return self._create("app", description=description, **fields)

    def create_gateway_token(self, *, description: str = "") -> Made:
        """A token with which a gateway outside this process fetches the table and reports; it opens no project."""
        return self._create("gateway", description=description, user_name="gateway")

    def is_gateway(self, token: str) -> bool:
        """Whether this is a gateway's token, and not revoked."""
        return digest(token.encode()) in self._now_known().gateways

    def list(self, project_id: str) -> tuple[KeyView, ...]:
        """The project's keys that are neither revoked nor sessions, oldest first; gateways' tokens for ""."""
        statement = select(Key).where(Key.project_id == (project_id or None), Key.revoked_at.is_(None))
        with self._db.read() as session:
            rows = session.scalars(statement.where(Key.kind != "session").order_by(Key.created_at, Key.id))
            return tuple(map(KeyView.of, rows))

    def revoke(self, project_id: str, key_id: str) -> None:
        """Make a key open nothing any more, nor any session made with it. NotFound (case `key-unknown`).

        A pair may be named by its access key.
        """
        with self._db.begin() as session:
            named = select(Key).where(or_(Key.id == key_id, Key.access == key_id), Key.revoked_at.is_(None))
            row = session.scalar(named.where(Key.project_id == (project_id or None)))
            if row is None:
                raise NotFound(f"there is no key {key_id!r}", hint="mooring keys list", case="key-unknown")
            both = or_(Key.id == row.id, Key.parent_id == row.id)
            session.execute(update(Key).where(both, Key.revoked_at.is_(None)).values(revoked_at=self._now_ms()))
        self._changed()

    def login(self, who: Password | AccessPair | TokenText, *, project: str = "", project_id: str = "") -> Login:
        """A session in the project that the key opens; a name or an id that is given must be that project's.

        Denied with case `password-wrong`, `key-unknown`, `token-invalid`, `token-expired`, `project-mismatch`.
        """
        with self._db.begin() as session:
            now = self._now_ms()
            key, method = self._opened(session, who)
            if key.expires_at is not None and key.expires_at <= now:
                raise Denied("the key has expired", hint="ask for a new one", case="token-expired")
            into = _project(session, key.project_id or "")
            if (project and project != into.name) or (project_id and project_id != into.id):
                raise Denied(
                    f"the key opens no project {project or project_id!r}",
                    hint=f"it opens {into.name!r}",
                    case="project-mismatch",
                )
            session.execute(delete(Key).where(Key.kind == "session", Key.expires_at <= now))
            until = now + SESSION_MS if method != "token" or key.kind == "token" else key.expires_at or now
            fields = {"project_id": into.id, "user_name": key.user_name, "parent_id": key.parent_id or key.id}
            made = self._new_secret(session, "session", expires_at=min(until, key.expires_at or until), **fields)
            login = Login(token=made.secret, key=made.key, project=ProjectView.of(into), method=method)
        self._changed()
        return login

    def callers(self) -> Callers:
        """Everyone who may call as of now; made anew only after a change."""
        return self._now_known().callers
