"""What `_postprocess` returned, as plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


class Unsendable(Exception):
    """The result has no JSON form; the message names the place."""


def plain(value: object, place: str = "result") -> Any:
    """The value as dicts, lists, strings and numbers; arrays and tensors of any library become lists.

    Raises:
        Unsendable: something in it has no JSON form.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unsendable(f"{place} is {value}, a number that JSON cannot carry")
        return float(value)
    if isinstance(value, Mapping):
        return {_key(key, place): plain(item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{place}[{number}]") for number, item in enumerate(value)]
    return _foreign(value, place)


def _foreign(value: object, place: str) -> Any:
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unsendable(f"{place} is bytes that are not UTF-8 text; encode them, for example as base64") from error
    for method in ("tolist", "to_list"):  # NumPy arrays and scalars, tensors, pandas columns
        convert = getattr(value, method, None)
        if callable(convert):
            return plain(convert(), place)
    if callable(getattr(value, "numpy", None)):  # tensors of TensorFlow
        return plain(value.numpy(), place)  # type: ignore[attr-defined] # asked for in the line above
    raise Unsendable(f"{place} is a {type(value).__module__}.{type(value).__qualname__}, which has no JSON form")


def _key(key: object, place: str) -> str | float | None:
    told = plain(key, f"a key of {place}")
    if isinstance(told, (list, dict)):
        raise Unsendable(f"a key of {place} is {key!r}, expected text or a number")
    return told  # type: ignore[no-any-return] # what is left of JSON are texts, numbers, booleans and null
