"""What lies below a prefix of a bucket, by S3, which OBS speaks too."""

from __future__ import annotations

import contextlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from mooring.contract.node import shortened
from mooring.errors import Denied, Invalid, MooringError, NotFound, Unavailable
from mooring.storage.naming import is_hidden, require_inside
from mooring.storage.storage import CHUNK_BYTES, Content, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from obstore.store import S3Credential

    from mooring.storage.address import Address
    from mooring.storage.settings import StorageSettings

_PAGE = 1000
# Up to here one request holds all of it; beyond, S3 takes parts of this size and puts them together at the end.
_PART_BYTES = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_CONNECT_SECONDS = 5
_SILENCE_SECONDS = 60
# Short troubles are sat out here, longer ones are for the caller to decide about.
_RETRIES = 3
_RETRY_SECONDS = 20
_ERRORS: tuple[tuple[tuple[type[Exception], ...], type[MooringError], str], ...] = (
    ((FileNotFoundError,), NotFound, "is not there"),
    (
        (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError, PermissionError),
        Denied,
        "may not be used by us",
    ),
    ((exceptions.InvalidPathError, ValueError), Invalid, "has a name that cannot be used"),
    ((exceptions.BaseError, OSError), Unavailable, "does not answer as it should"),
)


def s3_store(bucket: str, settings: StorageSettings) -> S3Store:
    """The library's view of a bucket, with what the settings say and nothing that it would find by itself."""
    said: dict[str, Any] = {
        "region": settings.region or "us-east-1",
        "virtual_hosted_style_request": not settings.path_style,
        "skip_signature": not settings.access_key,
        "imdsv1_fallback": False,
    }
    if settings.endpoint:
        said["endpoint"] = _endpoint(bucket, settings)
    return S3Store(
        bucket,
        config=said,  # type: ignore[arg-type] # its names are known, its values are of several types
        client_options={
            "allow_http": settings.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=_SILENCE_SECONDS),
            "timeout": timedelta(hours=1),
        },
        credential_provider=_credentials(settings) if settings.access_key else None,
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    )


def _credentials(settings: StorageSettings) -> Callable[[], S3Credential]:
    """Asked, the library looks for no part of them in the environment, where one could belong to another pair."""
    found: S3Credential = {
        "access_key_id": settings.access_key,
        "secret_access_key": settings.secret_key,
        "token": settings.session_token or None,
        "expires_at": None,
    }
    return lambda: found


def _endpoint(bucket: str, settings: StorageSettings) -> str:
    endpoint = settings.endpoint.rstrip("/")
    if settings.path_style:
        return endpoint
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{bucket}.{host}"


class Bucket:
    """What lies below a prefix of a bucket; names are keys without the prefix."""

    def __init__(self, address: Address, store: S3Store) -> None:
        self._address = address
        self._store = store
        self._prefix = f"{address.key.strip('/')}/".lstrip("/")

    @property
    def address(self) -> Address:
        """Bucket and prefix."""
        return self._address

    async def list(self) -> AsyncIterator[Entry]:
        """A page of a thousand at a time; S3 gives them in order, and markers of folders are left out."""
        with self._translating(""):
            async for page in obstore.list(self._store, self._prefix or None, chunk_size=_PAGE):
                for found in page:
                    name = found["path"].removeprefix(self._prefix)
                    # The library shows the marker of a folder, `name/`, as an empty `name`, which nobody could open.
                    if not is_hidden(name) and (found["size"] or await self.exists(name)):
                        yield Entry(name, found["size"])

    @contextlib.asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Content]:
        """One request; the connection is let go of when the content was read, or is no longer asked for."""
        with self._translating(name):
            found = await obstore.get_async(self._store, self._key(name))
        yield Content(found.meta["size"], self._chunks(name, found))

    async def write(self, name: str, content: bytes | AsyncIterator[bytes]) -> None:
        """One request for what is small; what is large is sent in parts, which become an object at the end."""
        key = self._key(name)
        if isinstance(content, bytes):
            await self._put(name, key, content)
            return
        start = bytearray()
        async for data in content:
            start += data
            if len(start) > _PART_BYTES:
                await self._put_parts(name, key, bytes(start), content)
                return
        await self._put(name, key, bytes(start))

    async def settle(self) -> None:
        """What a bucket has taken, it has."""

    async def exists(self, name: str) -> bool:
        """Whether an object has that key."""
        try:
            with self._translating(name):
                await obstore.head_async(self._store, self._key(name))
        except NotFound:
            return False
        return True

    async def is_empty(self) -> bool:
        """Whether nothing lies below the prefix that is not hidden."""
        async for _ in self.list():
            return False
        return True

    async def delete(self, name: str) -> None:
        """Delete the object."""
        with contextlib.suppress(NotFound), self._translating(name):
            await obstore.delete_async(self._store, self._key(name))

    def _key(self, name: str) -> str:
        return self._prefix + require_inside(name)

    async def _chunks(self, name: str, found: Any) -> AsyncIterator[bytes]:
        with self._translating(name):
            async for data in found.stream(min_chunk_size=CHUNK_BYTES):
                if data:
                    yield bytes(data)

    async def _put(self, name: str, key: str, content: bytes) -> None:
        with self._translating(name):
            await obstore.put_async(self._store, key, content, use_multipart=len(content) > _PART_BYTES)

    async def _put_parts(self, name: str, key: str, start: bytes, rest: AsyncIterator[bytes]) -> None:
        raised: list[BaseException] = []

        async def parts() -> AsyncIterator[bytes]:
            yield start
            try:
                async for data in rest:
                    yield data
            except BaseException as error:
                raised.append(error)
                raise

        try:
            with self._translating(name):
                await obstore.put_async(
                    self._store, key, parts(), chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
                )
        except MooringError:
            if raised:
                raise raised[0] from None
            raise

    @contextlib.contextmanager
    def _translating(self, name: str) -> Iterator[None]:
        try:
            yield
        except MooringError:
            raise
        except Exception as error:
            status = _STATUS.search(str(error))
            shown = _SAID[status[1]]() if status else error
            found = next(((kind, sentence) for kinds, kind, sentence in _ERRORS if isinstance(shown, kinds)), None)
            if found is None:
                raise
            kind, sentence = found
            where = shortened(f"{str(self._address).rstrip('/')}/{name}".rstrip("/"), 300)
            why = "" if kind is NotFound else f": {_why(error)}"
            raise kind(f"{where} {sentence}{why}", hint=_HINTS.get(kind, "")) from None


_HINTS: dict[type[MooringError], str] = {
    Denied: "look at the storage's access key, and at what it may do with the bucket",
    Invalid: "rename the object, or read a .manifest that lists the others",
    Unavailable: "look at the storage's endpoint; the same may work later",
}
# Listing has one kind of error for everything; the status is in its text only.
_STATUS = re.compile(r"status code: (401|403|404)\b")
_SAID = {"401": PermissionError, "403": PermissionError, "404": FileNotFoundError}


def _why(error: Exception) -> str:
    """The library's reason without its long tail of debugging."""
    text = str(error).split("\n\n")[0].split("\nDebug source")[0]
    return shortened(" ".join(text.split()), 300)
