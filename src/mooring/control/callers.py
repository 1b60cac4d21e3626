"""Everyone who may call, read from the keys' rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from mooring.control.tables import Key
from mooring.errors import Conflict
from mooring.gateway.table import AccessKey, Callers, Principal, Token

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from mooring.control.sealing import Sealing

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """Everyone who may call, and the digests of the gateways' own tokens."""

    callers: Callers = field(default_factory=Callers)
    gateways: frozenset[str] = frozenset()


def is_living(now_ms: int) -> ColumnElement[bool]:
    """That a key's row is neither revoked nor expired."""
    return Key.revoked_at.is_(None) & or_(Key.expires_at.is_(None), Key.expires_at > now_ms)


def read_known(session: Session, sealing: Sealing, now_ms: int) -> Known:
    """The keys that open something. A pair whose secret cannot be unsealed is left out, and the log says so."""
    tokens, codes, pairs, gateways = {}, {}, {}, set()
    for row in session.scalars(select(Key).where(is_living(now_ms))):
        who = Principal(row.project_id or "", row.user_name, row.id, row.service_id or "")
        digest = row.digest or ""
        if row.kind == "gateway":
            gateways.add(digest)
        elif row.kind == "app":
            codes[digest] = Token(who, row.expires_at)
        elif row.kind == "pair":
            try:
                secret = sealing.unseal(row.sealed or b"", owner=row.id)
            except Conflict as error:
                LOG.warning("the key pair %s opens nothing: %s (%s)", row.access, error.message, error.hint)
                continue
            pairs[row.access or ""] = AccessKey(secret, who, row.expires_at)
        else:
            tokens[digest] = Token(who, row.expires_at)
    return Known(Callers(tokens=tokens, app_codes=codes, access_keys=pairs), frozenset(gateways))
