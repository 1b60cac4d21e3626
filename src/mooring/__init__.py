"""Mooring makes, checks and runs model images that keep the image contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mooring.client import Client

__version__ = "0.1.0"
__all__ = ["Client", "__version__"]


def __getattr__(name: str) -> Any:
    """`Client`, when it is first asked for: an HTTP client takes half a second to import, and few need it."""
    if name == "Client":
        from mooring import client  # noqa: PLC0415 -- that is the point

        return client.Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
