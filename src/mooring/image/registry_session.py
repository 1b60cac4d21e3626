"""What a registry answers to one who may read a repository: challenges met, refusals told apart."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from typing import TYPE_CHECKING, Any

import httpx

from mooring.errors import Denied, Invalid, MooringError, NotFound, Unavailable
from mooring.image.registry_credentials import Credentials, Search, find_credentials
from mooring.image.registry_transport import Patience, Reply, Transport, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mooring.image.registry_reference import RegistryReference

_OK, PARTIAL, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY, _SERVER = 200, 206, 401, 403, 404, 429, 500
_LARGEST_TOKEN = 1 << 20
_LARGEST_REFUSAL = 64 * 1024
# Docker's own client names itself in the OAuth form; some token servers want any name at all.
_CLIENT = "mooring"
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_PARAMETER = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*,?\s*', re.ASCII)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]*)(?:\s*,\s*|\s+|$)", re.ASCII)


class Session:
    """One repository at one registry: `get` answers what is there, whoever must be shown what first."""

    def __init__(self, reference: RegistryReference, environ: Mapping[str, str], patience: Patience) -> None:
        self.reference = reference
        self._environ = environ
        self._patience = patience
        self._authorization = ""
        self._search: Search | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def connected(self) -> Iterator[Transport]:
        """Connections to ask over; closed at the end."""
        transport = Transport(self.reference.base_url, self._environ, self._patience)
        try:
            yield transport
        finally:
            transport.close()

    def get(self, transport: Transport, path: str, what: str, headers: Mapping[str, str]) -> Reply:
        """An answer of 200 or 206 to `/v2/<repository>/<path>`; else NotFound, Denied, Unavailable, naming `what`."""
        url = f"{self.reference.base_url}/v2/{self.reference.repository}/{path}"
        used = self._authorization
        reply = transport.ask(url, self._identified(headers, used))
        if reply.status == _UNAUTHORIZED and origin(reply.url) == origin(transport.base):
            with reply:
                shown = self._answered(transport, reply.headers.get_list("www-authenticate"), used)
            reply = transport.ask(url, self._identified(headers, shown))
        if reply.status in {_OK, PARTIAL}:
            return reply
        with reply:
            raise self._refusal(reply, what)

    @staticmethod
    def _identified(headers: Mapping[str, str], authorization: str) -> dict[str, str]:
        return {**headers, "Authorization": authorization} if authorization else dict(headers)

    def _answered(self, transport: Transport, challenges: list[str], used: str) -> str:
        """The Authorization header that meets a challenge; layers come in parallel, and one of them asks for all."""
        with self._lock:
            if self._authorization == used:
                self._authorization = self._met(transport, dict(_challenges(challenges)))
            return self._authorization

    def _met(self, transport: Transport, challenges: Mapping[str, dict[str, str]]) -> str:
        if "bearer" in challenges:
            return f"Bearer {self._token(transport, challenges['bearer'])}"
        known = self._credentials()
        return known.header if "basic" in challenges and known and not known.renewing else ""

    def _credentials(self) -> Credentials | None:
        if self._search is None:
            self._search = find_credentials(self.reference.host, self.reference.repository, self._environ)
        return self._search.found

    def _token(self, transport: Transport, challenge: Mapping[str, str]) -> str:
        """A token for reading, from where the registry sends us; the user is known there by the same name."""
        realm = transport.permitted(challenge.get("realm", ""))
        scopes = challenge.get("scope", "").split() or [f"repository:{self.reference.repository}:pull"]
        known = self._credentials()
        named = {"service": challenge["service"]} if challenge.get("service") else {}
        if known and known.renewing:
            form = {**named, "grant_type": "refresh_token", "client_id": _CLIENT, "scope": " ".join(scopes)}
            reply = transport.ask(str(realm), {}, form={**form, "refresh_token": known.secret})
        else:
            parameters = [*named.items(), *(("scope", scope) for scope in scopes)]
            url = realm.copy_with(params=httpx.QueryParams([*realm.params.multi_items(), *parameters]))
            reply = transport.ask(str(url), self._identified({}, known.header if known else ""))
        with reply:
            if reply.status != _OK:
                raise self._refusal(reply, f"a token from {realm.host}")
            return _token_in(reply.whole(_LARGEST_TOKEN, f"the token from {realm.host}"), realm.host)

    def _refusal(self, reply: Reply, what: str) -> MooringError:
        host, status = reply.url.host, reply.status
        said = _said(reply)
        if status in {_UNAUTHORIZED, _FORBIDDEN}:
            return self._denied(host, what, said)
        if status == _NOT_FOUND:
            return NotFound(f"{host} has no {what}{said}", hint="are its name and tag right? both are case-sensitive")
        if status == _TOO_MANY:
            after = _printable(reply.headers.get("retry-after", ""))
            when = f"after {after} s" if after.isdecimal() else f"after {after}" if after else "later"
            return Unavailable(f"{host} takes no more requests for now{said}", hint=f"try again {when}, or log in")
        if status >= _SERVER:
            return Unavailable(f"{host} answers {status} when asked for {what}{said}", hint="try again later")
        return Invalid(f"{host} answers {status} when asked for {what}{said}", hint="is it a registry?")

    def _denied(self, host: str, what: str, said: str) -> Denied:
        search = self._search or Search()
        login = f"docker login {self.reference.host}"
        hint = f"are these still valid? {login}" if search.found else f"{login}, if it is there; it may be missing"
        who = f"as {search.found.user}" if search.found and search.found.user else "as you" if search.found else ""
        troubles = f" ({'; '.join(search.troubles)})" if search.troubles else ""
        return Denied(f"{host} gives no {what} {who or 'to one it does not know'}{said}{troubles}", hint=hint)


def _challenges(values: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Schemes in small letters with their parameters; a header may hold several, and there may be several headers."""
    for value in values:
        at = 0
        while scheme := _SCHEME.match(value, at):
            at, parameters = scheme.end(), {}
            while parameter := _PARAMETER.match(value, at):
                name, quoted, plain = parameter.groups()
                parameters[name.lower()] = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                at = parameter.end()
            yield scheme[1].lower(), parameters


def _token_in(body: bytes, host: str) -> str:
    with contextlib.suppress(ValueError, RecursionError):
        value: Any = json.loads(body)
        token = (value.get("token") or value.get("access_token")) if isinstance(value, dict) else None
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
    raise Invalid(f"{host} answers with no token when asked for one", hint="ask who runs the registry")


def _said(reply: Reply) -> str:
    """What the registry itself says of its refusal, fit for a terminal; "" where it says nothing that can be read."""
    with contextlib.suppress(MooringError, ValueError, RecursionError):
        value: Any = json.loads(reply.whole(_LARGEST_REFUSAL, "the refusal"))
        errors = value.get("errors") if isinstance(value, dict) else None
        first = errors[0] if isinstance(errors, list) and errors else None
        said = [first.get(name) for name in ("code", "message")] if isinstance(first, dict) else []
        text = ": ".join(_printable(word) for word in said if isinstance(word, str) and word)
        return f" ({text})" if text else ""
    return ""


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text[:200]).strip()
