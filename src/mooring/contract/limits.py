"""The numbers a JSON Schema allows: a typical one, and those at its limits."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def typical(schema: dict[str, Any], *, whole: bool) -> int | float:
    """1 or 0.5 where the limits allow it, else the allowed number next to it."""
    return _plain(_fitting(schema, Fraction(1) if whole else Fraction(1, 2), whole=whole), whole=whole)


def edges(schema: dict[str, Any], *, whole: bool) -> Iterator[int | float]:
    """The smallest and the largest number; 0 and -1 where the schema sets no limits."""
    low, high = _limits(schema, whole=whole)
    for number in (low, high, Fraction(0), Fraction(-1)):
        if number is not None:
            yield _plain(_fitting(schema, number, whole=whole), whole=whole)


def _limits(schema: dict[str, Any], *, whole: bool) -> tuple[Fraction | None, Fraction | None]:
    """The smallest and the largest allowed number, None where there is no limit."""
    low = _strictest(schema, "minimum", "exclusiveMinimum", max)
    high = _strictest(schema, "maximum", "exclusiveMaximum", min)
    gap = Fraction(1) if whole else (high - low) / 1000 if low is not None and high is not None else Fraction(1, 1000)
    if low is not None and low == _exact(schema.get("exclusiveMinimum")):
        low = Fraction(math.floor(low)) + 1 if whole else low + gap
    if high is not None and high == _exact(schema.get("exclusiveMaximum")):
        high = Fraction(math.ceil(high)) - 1 if whole else high - gap
    step = _exact(schema.get("multipleOf")) or (Fraction(1) if whole else None)
    if step:
        low = math.ceil(low / step) * step if low is not None else None
        high = math.floor(high / step) * step if high is not None else None
    return low, high


def _fitting(schema: dict[str, Any], number: Fraction, *, whole: bool) -> Fraction:
    low, high = _limits(schema, whole=whole)
    step = _exact(schema.get("multipleOf")) or (Fraction(1) if whole else None)
    if step:
        number = math.ceil(number / step) * step
    number = min(number, high) if high is not None else number
    return max(number, low) if low is not None else number


def _strictest(schema: dict[str, Any], name: str, other: str, pick: Any) -> Fraction | None:
    values = [value for value in (_exact(schema.get(name)), _exact(schema.get(other))) if value is not None]
    strictest: Fraction | None = pick(values) if values else None
    return strictest


def _exact(number: object) -> Fraction | None:
    # Through its decimal notation: 0.1 means a tenth, not the double next to it.
    return Fraction(str(number)) if isinstance(number, int | float) and not isinstance(number, bool) else None


def _plain(number: Fraction, *, whole: bool) -> int | float:
    return int(number) if whole or (number.denominator == 1 and abs(number) > 2**53) else float(number)
