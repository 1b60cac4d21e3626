"""Cells as JSON, by the type that the schema declares.

| type | cells that are taken | becomes |
|---|---|---|
| `string` | every one, blanks and all | a text |
| `number` | `51200.5`, `-3`, `1e-7`, and `+5`, `.5`, `5.`, `007` | the same number, digit by digit |
| `integer` | `44`, `+44`, `044`, and `44.0`, `4.4e1` | the integer |
| `boolean` | true false, yes no, on off, t f, y n, 1 0, in any case | `true` or `false` |

Blanks around a number or a truth value do not count. A comma in a number, a currency, NaN and infinity are errors:
what such a cell means would be a guess.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mooring.contract.node import described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMBER = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,5}))?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
# What JSON would write the same; most cells are so.
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"0|-?[1-9]\d{0,30}", re.ASCII)
_MAX_CHARACTERS = 1000
_SPELLINGS = {
    **dict.fromkeys(("true", "yes", "on", "t", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "f", "n", "0"), "false"),
}


def _text(cell: str) -> str:
    return json.dumps(cell, ensure_ascii=False)


def _number(cell: str) -> str:
    """Never by way of a float, which would round: JSON has as many digits as the cell."""
    if _PLAIN_NUMBER.fullmatch(cell):
        return cell
    sign, digits, exponent = _parts(cell, "a number, such as 51200.5")
    whole, point, fraction = digits.partition(".")
    text = ("-" if sign == "-" else "") + (whole.lstrip("0") or "0") + (point + fraction if fraction else "")
    return text + (f"e{exponent}" if exponent else "")


def _integer(cell: str) -> str:
    if _PLAIN_INTEGER.fullmatch(cell):
        return cell
    if _INTEGER.fullmatch(text := cell.strip()) and len(text) <= _MAX_CHARACTERS:
        return str(int(text))
    sign, digits, exponent = _parts(cell, "an integer")
    # Of a number with more zeros than this, nobody means every one.
    if abs(int(exponent or 0)) <= _MAX_CHARACTERS:
        value = Decimal(f"{sign}{digits}e{exponent or 0}")
        numerator, denominator = value.as_integer_ratio()
        if denominator == 1:
            return str(numerator)
    raise ValueError(f"expected an integer, got {described(cell)}")


def _boolean(cell: str) -> str:
    value = _SPELLINGS.get(cell.strip().lower())
    if value is None:
        raise ValueError(f"expected true or false, got {described(cell)}")
    return value


def _parts(cell: str, expected: str) -> tuple[str, str, str]:
    found = _NUMBER.fullmatch(cell.strip())
    if found is None or len(cell) > _MAX_CHARACTERS:
        raise ValueError(f"expected {expected}, got {described(cell)}")
    return found[1], found[2], found[3] or ""


READERS: Mapping[str, Callable[[str], str]] = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
}
