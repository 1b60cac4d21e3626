"""Control over HTTP, for a gateway that is a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import httpx

from mooring.errors import Invalid, Unavailable
from mooring.gateway.wire import report_to_json, table_from_json

if TYPE_CHECKING:
    from types import TracebackType

    from mooring.gateway.link import GatewayReport
    from mooring.gateway.table import Table

# Control holds a question for some twenty seconds before it says that nothing is new.
_TABLE_SECONDS = 40.0
_REPORT_SECONDS = 5.0


class ControlClient:
    """A ControlLink to the platform at `url`, by a gateway token; use it as an async context.

    Whatever goes wrong is Unavailable: a gateway serves on with what it has, also when its token was revoked.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def table(self, *, after: int) -> Table:
        """`GET /gateway/table?after=N`: the next table, as soon as there is one."""
        request = self._client.build_request(
            "GET", f"{self._url}/gateway/table", params={"after": after}, timeout=_TABLE_SECONDS
        )
        try:
            return table_from_json(await self._ask(request))
        except Invalid as error:
            raise Unavailable(f"the table from {self._url} cannot be read: {error.message}") from error

    async def report(self, report: GatewayReport) -> None:
        """`POST /gateway/report`."""
        request = self._client.build_request(
            "POST",
            f"{self._url}/gateway/report",
            content=report_to_json(report),
            headers={"Content-Type": "application/json"},
            timeout=_REPORT_SECONDS,
        )
        await self._ask(request)

    async def _ask(self, request: httpx.Request) -> bytes:
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"the platform at {self._url} does not answer: {reason}") from error
        if response.status_code in (401, 403):
            raise Unavailable(
                f"the platform at {self._url} refuses the gateway's token ({response.status_code})",
                hint="make a new one for it with `mooring keys create --kind gateway`",
            )
        if not response.is_success:
            raise Unavailable(f"the platform at {self._url} answers {response.status_code}")
        return response.content
