"""For which host a call may say it is: so that no page in a browser can reach a platform under a name of its own.

A page whose name was made to point here (DNS rebinding) is of the same origin as this platform, for its browser. It has
no token, but what is open to all, and to this machine, is not for it either.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mooring.errors import Denied, Invalid
from mooring.gateway.heads import value_of

if TYPE_CHECKING:
    from mooring.control.settings import Settings

_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via")


def require_sane(scope: Mapping[str, Any], settings: "Settings") -> None:
    """Refuse a call to a host that is not this one, or from a page of another origin.

    Raises:
        Invalid: case `host-invalid`: on an address of this machine alone, another name than its own.
        Denied: case `not-allowed`: its Origin is neither the host that it asks nor the `public_url`.
    """
    host = value_of(scope["headers"], b"host").decode("latin-1")
    public = urlsplit(settings.public_url).netloc.lower()
    name = name_of(host)
    if name is None or (is_loopback(settings.address[0]) and not is_address(name) and name != name_of(public)):
        raise Invalid(
            f"this platform is not {host[:100]!r}",
            hint="ask it by its address, or start it with that name in its public_url",
            case="host-invalid",
        )
    origin = value_of(scope["headers"], b"origin").decode("latin-1").lower()
    if origin and urlsplit(origin).netloc not in filter(None, (host.lower(), public)):
        raise Denied(
            f"pages of {origin[:100]!r} may not call this platform",
            hint="call it from a program, or from a page of its own",
            case="not-allowed",
        )


def is_local(scope: Mapping[str, Any]) -> bool:
    """Whether a program on this machine calls, for this machine, and not on behalf of another."""
    headers = scope["headers"]
    name = name_of(value_of(headers, b"host").decode("latin-1"))
    client = (scope.get("client") or ("",))[0]
    forwarded = any(value_of(headers, one) for one in (*_FORWARDED, b"origin"))
    return is_loopback(client) and name is not None and is_loopback(name) and not forwarded


def name_of(host: str) -> str | None:
    """The name or address in a Host header; None when there is none in it."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def is_address(name: str) -> bool:
    """Whether it is an address, or a name that is always this machine."""
    return is_loopback(name) or _address(name) is not None


def is_loopback(name: str) -> bool:
    """Whether it is reached from this machine alone."""
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _address(name: str) -> Any:
    try:
        return ip_address(name)
    except ValueError:
        return None
