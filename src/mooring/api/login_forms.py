"""What a login sends, in the identity service's own words (POST /v3/auth/tokens)."""

from typing import Annotated, Any

from pydantic import BaseModel

from mooring.api.leniency import said
from mooring.control.key_forms import AccessPair, Password, TokenText
from mooring.errors import Invalid


class _Named(BaseModel):
    name: str | None = None
    id: str | None = None


class _User(BaseModel):
    name: str
    password: str
    domain: _Named | None = None


class _PasswordMethod(BaseModel):
    user: _User


class _Half(BaseModel):
    key: str


class _PairMethod(BaseModel):
    access: _Half
    secret: _Half


class _TokenMethod(BaseModel):
    id: str


class _Identity(BaseModel):
    methods: Annotated[list[Annotated[str, said(enum=["password", "hw_ak_sk", "token"])]], said(minItems=1)]
    password: _PasswordMethod | None = None
    hw_ak_sk: _PairMethod | None = None
    token: _TokenMethod | None = None


class _Scope(BaseModel):
    project: _Named | None = None
    domain: _Named | None = None


class _Auth(BaseModel):
    identity: _Identity
    scope: _Scope | None = None


class LoginBody(BaseModel):
    """A login: with a user's name and token, with both halves of a key pair, or with an earlier token."""

    auth: _Auth

    def who(self) -> Password | AccessPair | TokenText:
        """What is shown: of the methods named, the first that is spoken here and is there.

        Invalid (case `method-unknown`) when there is none.
        """
        identity = self.auth.identity
        for method in map(str.lower, identity.methods):
            if method == "password" and identity.password:
                return Password(user_name=identity.password.user.name, password=identity.password.user.password)
            if method == "hw_ak_sk" and identity.hw_ak_sk:
                return AccessPair(access=identity.hw_ak_sk.access.key, secret=identity.hw_ak_sk.secret.key)
            if method == "token" and identity.token:
                return TokenText(token=identity.token.id)
        raise Invalid(
            f"methods are {', '.join(identity.methods)[:100] or 'none'}; none of them is spoken here and has its part",
            hint="password, hw_ak_sk and token are",
            case="method-unknown",
        )

    def into(self) -> dict[str, str]:
        """The project that is asked for, by name, id or both; nothing for the key's own."""
        project = self.auth.scope.project if self.auth.scope else None
        said: dict[str, Any] = {"project": project and project.name, "project_id": project and project.id}
        return {name: value for name, value in said.items() if value}
