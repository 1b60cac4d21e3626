"""Under which address callers reach this platform."""

from urllib.parse import urlsplit

from fastapi import Request

from mooring.control.settings import Settings

_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - what stands for every address of a machine


def base_url(settings: Settings, request: Request) -> str:
    """The platform's URL, without a slash at its end: `public_url`, or what it listens on.

    Where that is every address, or a port that the kernel chose, it is the host that this caller asked.
    """
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host, port = settings.address
    if host not in _ANY and port:
        return f"http://{settings.listen}"
    asked = urlsplit(str(request.base_url))
    return f"{asked.scheme}://{asked.netloc}"


def access_address(settings: Settings, request: Request, service_id: str) -> str:
    """Where a service is called."""
    return f"{base_url(settings, request)}/v1/infers/{service_id}"
