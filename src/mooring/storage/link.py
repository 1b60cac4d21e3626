"""Signed links: one file of other people's data, which whoever has the link may read."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx

from mooring.errors import Denied, Invalid, NotFound, Unavailable
from mooring.storage.storage import CHUNK_BYTES, Content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mooring.storage.address import Address

_SECONDS = httpx.Timeout(60, connect=5)
_OK, _DENIED, _MISSING = 200, (401, 403), (404, 410)


@contextlib.asynccontextmanager
async def open_link(address: Address) -> AsyncIterator[Content]:
    """Give out what the link leads to; redirections are not followed, since they would lead anywhere.

    Denied when the signature is not (or no longer) accepted, NotFound, Unavailable; no message holds the signature.
    """
    url = f"{address}?{address.query}"
    # Proxies of the environment are for what is outside; the link goes where the settings allow.
    async with httpx.AsyncClient(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client:
        try:
            response = await client.send(client.build_request("GET", url, headers=_PLAIN), stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{address} does not answer: {type(error).__name__}") from None
        try:
            yield Content(_size(address, response), _chunks(address, response))
        finally:
            await response.aclose()


# What lies there is wanted, not a compressed form of it.
_PLAIN = {"accept-encoding": "identity"}


def _size(address: Address, response: httpx.Response) -> int:
    status, length = response.status_code, response.headers.get("content-length", "")
    if status in _DENIED:
        raise Denied(f"{address} answers {status}: the link's signature is not accepted", hint="ask for a new link")
    if status in _MISSING:
        raise NotFound(f"{address} is not there: it answers {status}")
    if status != _OK:
        raise Unavailable(f"{address} answers {status} instead of 200")
    if not length.isdecimal():
        raise Invalid(f"{address} answers without Content-Length, so that nobody knows when it is whole")
    return int(length)


async def _chunks(address: Address, response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for data in response.aiter_raw(CHUNK_BYTES):
            yield data
    except httpx.HTTPError as error:
        raise Unavailable(f"{address} broke off while it was read: {type(error).__name__}") from None
