"""Who may do what: projects, and the tokens, key pairs, app codes and sessions that open them."""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from mooring.control.callers import Known, is_living, read_known
from mooring.control.key_forms import AccessPair, KeyView, Login, Made, Password, ProjectView, TokenText
from mooring.control.key_rows import NAME_CHARACTERS, Wanted, add_key, find_opened, find_project
from mooring.control.private_file import write_private
from mooring.control.tables import Key, Project
from mooring.errors import Conflict, Denied, Invalid, NotFound
from mooring.gateway.identity import digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
METHODS = {Password: "password", AccessPair: "hw_ak_sk", TokenText: "token"}
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
        self._known = Known()
        self._known_since = -1

    def start(self, data: Path, *, anew: bool = False) -> Made | None:
        """See that there is a project, and a token that opens it.

        The first start makes the project `default` and a token for `admin`, kept in DATA/token (mode 0600) and returned
        to be shown once. None when some token opens it already, unless another is asked for with `anew`.
        """
        with self._db.begin() as session:
            project = session.scalar(select(Project).where(Project.name == DEFAULT_PROJECT))
            project = project or self._new_project(session, DEFAULT_PROJECT)
            living = select(Key.id).where(Key.kind == "token", Key.project_id == project.id, is_living(self._now_ms()))
            if session.scalar(living.limit(1)) and not anew:
                return None
            made = self._add(session, Wanted(kind="token", project_id=project.id, user_name=ADMIN))
            # Before the commit: a token that opens something and is written nowhere would be of use to nobody.
            write_private(data / TOKEN_FILE, f"{made.secret}\n".encode(), replace=True)
        self._change()
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
            return ProjectView.of(find_project(session, project_id))

    def create_token(
        self, project_id: str, user_name: str, *, description: str = "", expires_at: int | None = None
    ) -> Made:
        """A token for one user of a project; `expires_at` in ms, None for as long as it is not revoked."""
        wanted = Wanted(kind="token", project_id=project_id, user_name=user_name, description=description)
        return self._create(replace(wanted, expires_at=expires_at))

    def create_pair(
        self,
        project_id: str,
        user_name: str,
        *,
        service_id: str = "",
        description: str = "",
        expires_at: int | None = None,
    ) -> Made:
        """An access key (`key.access`) and the secret that signs with it.

        With a service's id it is an app's: it opens that one service, for calls only.
        """
        wanted = Wanted(kind="pair", project_id=project_id, user_name=user_name, description=description)
        return self._create(replace(wanted, service_id=service_id, expires_at=expires_at))

    def create_app_code(
        self, project_id: str, service_id: str, *, user_name: str = "app", description: str = ""
    ) -> Made:
        """A code that opens one service, for calls only."""
        wanted = Wanted(kind="app", project_id=project_id, user_name=user_name, description=description)
        return self._create(replace(wanted, service_id=service_id))

    def create_gateway_token(self, *, description: str = "") -> Made:
        """A token with which a gateway outside this process fetches the table and reports; it opens no project."""
        return self._create(Wanted(kind="gateway", user_name="gateway", description=description))

    def is_gateway(self, token: str) -> bool:
        """Whether this is a gateway's token, and not revoked."""
        return digest(token.encode()) in self._read().gateways

    def list(self, project_id: str) -> tuple[KeyView, ...]:
        """The project's keys that are neither revoked nor sessions, oldest first; gateways' tokens for ""."""
        named = select(Key).where(Key.project_id == (project_id or None), Key.revoked_at.is_(None))
        with self._db.read() as session:
            rows = session.scalars(named.where(Key.kind != "session").order_by(Key.created_at, Key.id))
            return tuple(map(KeyView.of, rows))

    def revoke(self, project_id: str, key_id: str) -> None:
        """Make a key open nothing any more, nor any session made with it; a pair may be named by its access key.

        NotFound (case `key-unknown`) when the project has no such key, or has revoked it.
        """
        with self._db.begin() as session:
            named = select(Key).where(or_(Key.id == key_id, Key.access == key_id), Key.revoked_at.is_(None))
            row = session.scalar(named.where(Key.project_id == (project_id or None)))
            if row is None:
                raise NotFound(f"there is no key {key_id!r}", hint="mooring keys list", case="key-unknown")
            both = or_(Key.id == row.id, Key.parent_id == row.id)
            session.execute(update(Key).where(both, Key.revoked_at.is_(None)).values(revoked_at=self._now_ms()))
        self._change()

    def login(self, who: Password | AccessPair | TokenText, *, project: str = "", project_id: str = "") -> Login:
        """A session in the project that the key opens; a name or an id that is given must be that project's.

        Denied with case `password-wrong`, `key-unknown`, `token-invalid`, `token-expired`, `project-mismatch`.
        """
        now = self._now_ms()
        with self._db.begin() as session:
            key = find_opened(session, who, sealing=self._sealing, now_ms=now)
            into = find_project(session, key.project_id or "")
            if (project and project != into.name) or (project_id and project_id != into.id):
                raise Denied(
                    f"the key opens no project {project or project_id!r}",
                    hint=f"it opens the project {into.name!r}",
                    case="project-mismatch",
                )
            session.execute(delete(Key).where(Key.kind == "session", Key.expires_at <= now))
            until = min(now + SESSION_MS, key.expires_at or now + SESSION_MS)
            wanted = Wanted(kind="session", project_id=into.id, user_name=key.user_name, expires_at=until)
            made = self._add(session, replace(wanted, parent_id=key.parent_id or key.id))
        self._change()
        return Login(token=made.secret, key=made.key, project=ProjectView.of(into), method=METHODS[type(who)])

    def callers(self) -> Callers:
        """Everyone who may call as of now; made anew only after a change."""
        return self._read().callers

    def _read(self) -> Known:
        with self._turn:
            # Counted before reading: a change while we read has us read again the next time.
            changes = self._changes
            if self._known_since != changes:
                with self._db.read() as session:
                    self._known = read_known(session, self._sealing, self._now_ms())
                self._known_since = changes
            return self._known

    def _change(self) -> None:
        self._changes += 1
        self.on_change()

    def _create(self, wanted: Wanted) -> Made:
        with self._db.begin() as session:
            made = self._add(session, wanted)
        self._change()
        return made

    def _add(self, session: Session, wanted: Wanted) -> Made:
        return add_key(session, wanted, sealing=self._sealing, now_ms=self._now_ms())

    def _new_project(self, session: Session, name: str) -> Project:
        domain = uuid.uuid5(uuid.NAMESPACE_DNS, DOMAIN).hex
        row = Project(id=uuid.uuid4().hex, name=name, domain_id=domain, domain_name=DOMAIN, created_at=self._now_ms())
        session.add(row)
        session.flush()
        return row
