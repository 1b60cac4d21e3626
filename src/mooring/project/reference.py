"""What the name of an image looks like, so that a wrong one is told before anything is sent to an engine."""

from __future__ import annotations

import re

from mooring.errors import Invalid

# The grammar of names that engines and registries share (github.com/distribution/reference): lower case between
# separators, a tag of word characters; before the first slash there may be a host, which has a dot, a port, or is
# localhost.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?P<path>{_PART}(?:/{_PART})*)(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?", re.ASCII)
_HOST_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
# An engine would take it for the id of an image.
_ID = re.compile(r"[0-9a-f]{64}")
LONGEST_NAME = 255
# Also ids and digests: what it is, the engine knows; here it must be one word that is no option.
_BASE = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9_.:/@\[\]-]*")


def require_image_name(text: str) -> None:
    """Invalid unless an image can be given this name: `mnist:1`, `registry.example.com:5000/team/mnist:1`."""
    host, slash, rest = text.partition("/")
    has_host = bool(slash) and (host == "localhost" or any(sign in host for sign in ".:"))
    name = _NAME.fullmatch(rest if has_host else text)
    if name and (not has_host or _HOST.fullmatch(host)) and not _ID.fullmatch(name["path"]):
        whole = len(name["path"]) + (len(host) + 1 if has_host else 0)
        if whole <= LONGEST_NAME:
            return
    raise Invalid(
        f"{text!r} is not a name for an image",
        hint="small letters and digits, with single . _ - or / between them, and a tag: mnist:1, team/my-model:v2",
    )


def require_base_name(text: str) -> None:
    """Invalid for what cannot be the reference of an image to build on, such as an option of the engine's command."""
    if not _BASE.fullmatch(text):
        raise Invalid(f"base {text!r} is not an image", hint="debian, or a reference such as python:3.11-slim")
