"""How a name that people wrote compares with the names we know."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like this one, or "" if none is close."""
    by_fold = {folded(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(folded(name)[:100], by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists them all."""
    names = sorted(known)
    close = nearest(name, names)
    return f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"


def folded(name: str) -> str:
    """The name without case, dashes, underscores and blanks: Content-Type and content_type are one."""
    return re.sub(r"[\s_-]+", "", name.casefold())
