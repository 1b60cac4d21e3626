"""How storage is reached: the endpoint, and the credentials, which never show."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

_SWITCH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, kw_only=True)
class StorageSettings:
    """Where object storage is and who we are there; which folders of this machine may be used.

    One endpoint serves all buckets, in whatever form they are written. Invalid for an endpoint that is no http or https
    URL, and for half a pair of credentials.
    """

    endpoint: str = ""
    """`https://obs.example.com`; data goes over http where this says so, and only then. AWS if empty."""
    region: str = ""
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    """Both empty: requests are not signed, and only what is public can be had."""
    session_token: str = field(default="", repr=False)
    path_style: bool = True
    """Whether the bucket is named in the path of a request rather than in its host name."""
    folders: tuple[Path, ...] | None = None
    """Folders of this machine below which `file:` addresses may lie; None allows all."""
    link_hosts: tuple[str, ...] = ()
    """Hosts, beside the endpoint's and what is below it, that signed links may lead to."""

    def __post_init__(self) -> None:
        if bool(self.access_key) != bool(self.secret_key):
            missing = "secret key" if self.access_key else "access key"
            raise Invalid(f"the storage's {missing} is missing", hint="set both, or neither for what is public")
        if not self.endpoint:
            return
        parts = urlsplit(self.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise Invalid("the storage's endpoint is no http or https URL", hint="write https://obs.example.com")
        if parts.username or parts.password:
            raise Invalid(
                f"the storage's endpoint {parts.scheme}://{parts.hostname} holds credentials",
                hint="set access key and secret key apart from it",
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> StorageSettings:
        """What MOORING_STORAGE_* say, and where they are silent, what AWS_* say, as the tools of AWS read them.

        ENDPOINT (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL), REGION (AWS_REGION, AWS_DEFAULT_REGION), ACCESS_KEY
        (AWS_ACCESS_KEY_ID), SECRET_KEY (AWS_SECRET_ACCESS_KEY), SESSION_TOKEN (AWS_SESSION_TOKEN), PATH_STYLE (true
        or false), FOLDERS (paths with `:` between them), LINK_HOSTS (names with `,` between them).
        """

        def said(name: str, *others: str) -> str:
            return next((environ[key] for key in (f"MOORING_STORAGE_{name}", *others) if environ.get(key)), "")

        style = _SWITCH.get(said("PATH_STYLE").lower() or "true")
        if style is None:
            raise Invalid("MOORING_STORAGE_PATH_STYLE is neither true nor false")
        folders = said("FOLDERS")
        return cls(
            endpoint=said("ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
            region=said("REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
            access_key=said("ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            secret_key=said("SECRET_KEY", "AWS_SECRET_ACCESS_KEY"),
            # A token belongs to its pair of keys.
            session_token=said(
                "SESSION_TOKEN", *([] if environ.get("MOORING_STORAGE_ACCESS_KEY") else ["AWS_SESSION_TOKEN"])
            ),
            path_style=style,
            folders=tuple(Path(one) for one in folders.split(":") if one) if folders else None,
            link_hosts=tuple(one.strip() for one in said("LINK_HOSTS").split(",") if one.strip()),
        )
