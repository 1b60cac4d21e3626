"""Keys over REST; ours: tokens, key pairs and app codes are made, listed and revoked here. Secrets are told once."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from mooring.api.leniency import Lower, Whole, one_of
from mooring.api.operator import is_admin, is_operator, require_operator
from mooring.api.platform import Caller, Held, Platform
from mooring.api.service_answers import Nothing
from mooring.control.key_forms import KeyView, Made
from mooring.control.keys import ADMIN
from mooring.control.page import LARGEST
from mooring.errors import Denied, Invalid, NotFound
from mooring.gateway.table import Principal

router = APIRouter(prefix="/v1/{project_id}/keys", tags=["extensions"])
KINDS = ("token", "pair", "app", "gateway")


class KeyBody(BaseModel):
    """A key to be: for whom, of which kind, until when (ms)."""

    kind: Annotated[Literal["token", "pair", "app", "gateway"], one_of(*KINDS)] = "token"
    user_name: str | None = Field(None, description="The caller's own name, unless the caller is admin.")
    description: str | None = None
    service_id: str | None = Field(None, description="The one service that an app code opens, or a pair.")
    expires_at: Annotated[Whole, Field(le=LARGEST)] | None = None


class KeyShown(BaseModel):
    """A key, without its secret. `access` is a pair's access key."""

    id: str
    kind: str
    project_id: str
    user_name: str
    description: str
    access: str
    service_id: str
    created_at: int
    expires_at: int | None


class KeyMade(KeyShown):
    """A key that was just made, with its secret."""

    secret: str


class KeyList(BaseModel):
    """The project's keys."""

    total_count: int
    count: int
    keys: list[KeyShown]


@router.post("", operation_id="CreateKey")
def create(caller: Caller, platform: Held, body: KeyBody) -> KeyMade:
    """Make a key. Its secret is told in this answer, and never again."""
    made = _made(caller, platform, body)
    return KeyMade(**_shown(made.key), secret=made.secret)


@router.get("", operation_id="ListKeys")
def list_all(caller: Caller, platform: Held, kind: Lower = "") -> KeyList:
    """The project's keys; with `kind=gateway` the tokens of gateways, for who runs the platform."""
    if kind == "gateway":
        require_operator(platform, caller)
    found = platform.keys.list("" if kind == "gateway" else caller.project_id)
    keys = [KeyShown(**_shown(one)) for one in found if kind in ("", one.kind)]
    return KeyList(total_count=len(keys), count=len(keys), keys=keys)


@router.delete("/{key_id}", operation_id="RevokeKey")
def revoke(caller: Caller, platform: Held, key_id: str) -> Nothing:
    """Let a key open nothing any more; a pair by its id or its access key. Users other than admin, their own."""
    known = {name: one for one in platform.keys.list(caller.project_id) for name in (one.id, one.access) if name}
    if key_id in known:
        _require_own(caller, known[key_id].user_name)
        platform.keys.revoke(caller.project_id, known[key_id].id)
    elif is_operator(platform, caller):
        platform.keys.revoke("", key_id)
    else:
        raise NotFound(f"there is no key {key_id[:100]!r} in this project", hint="GET keys", case="key-unknown")
    return Nothing()


def _made(caller: Principal, platform: Platform, body: KeyBody) -> Made:
    about = body.description or ""
    if body.kind == "gateway":
        require_operator(platform, caller)
        return platform.keys.create_gateway_token(description=about)
    user = body.user_name or caller.user_name
    _require_own(caller, user)
    if body.service_id:
        platform.services.get(caller, body.service_id)
    if body.kind == "app":
        if not body.service_id:
            raise Invalid("an app code is for one service", hint="give its service_id", case="parameter-invalid")
        return platform.keys.create_app_code(caller.project_id, body.service_id, user_name=user, description=about)
    if body.kind == "pair":
        return platform.keys.create_pair(
            caller.project_id, user, service_id=body.service_id or "", description=about, expires_at=body.expires_at
        )
    return platform.keys.create_token(caller.project_id, user, description=about, expires_at=body.expires_at)


def _require_own(caller: Principal, user_name: str) -> None:
    if user_name != caller.user_name and not is_admin(caller):
        raise Denied(
            f"{caller.user_name} has no say over keys of {user_name[:64]!r}",
            hint=f"the user {ADMIN} has",
            case="not-allowed",
        )


def _shown(view: KeyView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in KeyShown.model_fields}
