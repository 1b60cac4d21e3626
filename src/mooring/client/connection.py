"""One platform, reached over HTTP with a token: requests, and its errors in our own words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from mooring.errors import Conflict, Denied, Invalid, MooringError, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

DEFAULT_URL = "http://127.0.0.1:8000"
URL_VARIABLE = "MOORING_URL"
TOKEN_VARIABLE = "MOORING_TOKEN"  # noqa: S105 - a variable's name
DATA_VARIABLE = "MOORING_DATA"
TOKEN_FILE = "token"  # noqa: S105 - a file's name
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0
UNKNOWN_CALLER = 401
BY_STATUS: Mapping[int, type[MooringError]] = {
    400: Invalid,
    401: Denied,
    403: Denied,
    404: NotFound,
    409: Conflict,
    413: Refused,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def default_data(environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder that a platform on this machine uses unless it is told another."""
    if chosen := environ.get(DATA_VARIABLE):
        return Path(chosen)
    home = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return home / "mooring"


def login_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where `mooring login` keeps what later commands use."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "mooring" / "login.json"


def stored_login(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The `url` and `token` of the last login; nothing when there was none."""
    try:
        found = json.loads(login_file(environ).read_text(encoding="utf-8"))
        return {"url": str(found["url"]), "token": str(found["token"])}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


class Connection:
    """Requests to one platform, as one caller; usable from one thread at a time."""

    def __init__(self, url: str = "", token: str = "", *, environ: Mapping[str, str] = os.environ) -> None:
        """`url` and `token` are looked for here, in MOORING_URL and MOORING_TOKEN, in the login, in the data folder.

        Raises:
            Invalid: the URL is none.
        """
        login = stored_login(environ)
        self.url = (url or environ.get(URL_VARIABLE) or login.get("url") or DEFAULT_URL).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise Invalid(f"{self.url} is not the URL of a platform", hint=f"for example {DEFAULT_URL}")
        # A login is for the platform that it was made at, and for no other.
        kept = login["token"] if login and login["url"] == self.url and not environ.get(DATA_VARIABLE) else ""
        # It goes with every call; empty when none was found.
        self.token = token or environ.get(TOKEN_VARIABLE) or kept or _stored_token(default_data(environ))
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            headers={"X-Auth-Token": self.token} if self.token else {},
            trust_env=False,
        )
        self._project = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    @property
    def project(self) -> str:
        """The id of the project that the token opens."""
        if not self._project:
            try:
                self._project = str(self.get("/v3/projects")["projects"][0]["id"])
            except (KeyError, IndexError, TypeError):
                raise self._no_platform() from None
        return self._project

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON that a path answers; `{project}` in it is the token's project. Values of None are left out."""
        params = {key: value for key, value in query.items() if value is not None}
        return self.object_of(self.send("GET", path, params=params))

    def object_of(self, answer: httpx.Response) -> dict[str, Any]:
        """The JSON object that an answer is. Unavailable when it is none: something else answers there."""
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self._no_platform()
        return found

    def send(self, method: str, path: str, **how: Any) -> httpx.Response:
        """An answer of 2xx.

        Raises:
            Invalid, Refused, Denied, NotFound, Conflict, Unavailable: what the platform said, by its status.
        """
        return self._checked(self._sent(method, path, **how))

    def lines(self, path: str, **query: Any) -> Iterator[str]:
        """The lines of an answer as they come, without a limit to how long that takes."""
        params = {key: value for key, value in query.items() if value is not None}
        try:
            with self._http.stream(
                "GET", self._path(path), params=params, timeout=httpx.Timeout(None, connect=CONNECT_SECONDS)
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    self._checked(answer)
                yield from answer.iter_lines()
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _path(self, path: str) -> str:
        return path.replace("{project}", self.project) if "{project}" in path else path

    def _sent(self, method: str, path: str, **how: Any) -> httpx.Response:
        try:
            return self._http.request(method, self._path(path), **how)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.TransportError) -> Unavailable:
        return Unavailable(
            f"no platform answers at {self.url}: {error or type(error).__name__}",
            hint=f"mooring up starts one; {URL_VARIABLE} names another",
        )

    def _no_platform(self) -> Unavailable:
        return Unavailable(
            f"what answers at {self.url} is no platform",
            hint=f"{URL_VARIABLE}, or mooring login, names the one that is meant",
        )

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        code, message = _told(answer)
        kind = BY_STATUS.get(answer.status_code, Unavailable if answer.is_server_error else Refused)
        hint = ""
        if answer.status_code == UNKNOWN_CALLER:
            hint = (
                f"the token is not good for this platform; {TOKEN_VARIABLE} or {DATA_VARIABLE} names another"
                if self.token
                else f"set {TOKEN_VARIABLE}, or {DATA_VARIABLE} to the platform's data folder, or mooring login"
            )
        raise kind(message, hint=hint, case=code)


def _told(answer: httpx.Response) -> tuple[str, str]:
    """The error code and the message of an answer, whatever form it has."""
    try:
        body = answer.json()
        return str(body["error_code"]), str(body["error_msg"])
    except (ValueError, KeyError, TypeError):
        return "", f"{answer.request.url.path} answered {answer.status_code} {answer.text[:200]}".strip()


def _stored_token(data: Path) -> str:
    try:
        return (data / TOKEN_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
