"""The archive of one image, as an engine writes it to whom asks."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote

import docker
import docker.errors
import requests.exceptions
from docker.types import CancellableStream

from mooring.engine.translation import translated

CHUNK_BYTES = 1 << 20
CONNECT_SECONDS = 120
# An engine may put the whole archive together, tens of gigabytes, before it writes the first byte.
SILENCE_SECONDS = 1800


class Export:
    """The archive in chunks of a mebibyte or little more, the last of them shorter, however the engine sends it.

    An engine sends 32 KiB at a time: were each handed on by itself, the threads down to the scanners would wake up for
    it in turn, which costs half as much again as all the scanning.

    `close` ends it from any thread, also while another waits for the next chunk.
    """

    def __init__(self, api: docker.APIClient, reference: str) -> None:
        with translated(f"image {reference}"):
            response = api.get(
                f"{api.base_url}/v{api.api_version}/images/{quote(reference, safe='')}/get",
                stream=True,
                timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            )
            try:
                response.raise_for_status()
            except requests.exceptions.HTTPError as error:
                docker.errors.create_api_error_from_http_exception(error)
        self._stream = CancellableStream(response.iter_content(CHUNK_BYTES), response)
        self._response = response

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        with translated():
            for part in self._stream:
                parts.append(part)
                size += len(part)
                if size >= CHUNK_BYTES:
                    break
        if not parts:
            raise StopIteration
        return b"".join(parts)

    def close(self) -> None:
        """Let go of the connection, wherever the archive is."""
        self._stream.close()
        self._response.close()
