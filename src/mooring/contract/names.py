"""How a name that people wrote compares with the names we know."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Shorter names than `SHORT` are one letter from too many words; from `LONG` on two slips still leave no doubt.
SHORT, LONG = 4, 8


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like this one, or "" if none is close."""
    by_fold = {folded(candidate): candidate for candidate in known}
    close = difflib.get_close_matches(folded(name)[:100], by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else ""


def slip_of(name: str, known: Iterable[str]) -> str:
    """The one known name that this clearly is a slip of the pen for; "" if it may be another name, or several.

    A letter wrong, missing, too many, or changed places with the next; two such in a name of eight letters or more.
    """
    wrong = folded(name)
    # `//apis` and `x-apis` were set aside on purpose, and `health2` is meant to be another one.
    if not wrong.isalpha() or not name[:1].isalpha() or name.startswith("x-"):
        return ""
    slips = sorted((slips_between(wrong, folded(each)), each) for each in known if _may_slip(wrong, folded(each)))
    if not slips or slips[0][0] > _most_slips(folded(slips[0][1])):
        return ""
    return slips[0][1] if len(slips) == 1 or slips[1][0] > slips[0][0] else ""


def slips_between(left: str, right: str) -> int:
    """How many letters must be put in, taken out, changed, or swapped with the next to make one of the other."""
    before, row = list[int](), list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]


def _may_slip(wrong: str, right: str) -> bool:
    most = _most_slips(right)
    return most > 0 and abs(len(wrong) - len(right)) <= most and len(set(wrong) ^ set(right)) <= 2 * most


def _most_slips(right: str) -> int:
    return 2 if len(right) >= LONG else 1 if len(right) >= SHORT else 0


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists them all."""
    names = sorted(known)
    close = nearest(name, names)
    return f"did you mean {close!r}?" if close else f"known: {', '.join(names)}"


def folded(name: str) -> str:
    """The name without case, dashes, underscores and blanks: Content-Type and content_type are one."""
    return re.sub(r"[\s_-]+", "", name.casefold())
