"""Arrays that lie raw inside a pickle, as joblib writes them: how many bytes, or which pickle, follow their wrapper."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mooring.checks.scanning.pickles.machine import Made

# The item of an array of objects; nothing of that size is meant.
OBJECTS = -1
CHARACTER_BYTES = 4
_HAS_OBJECTS = 0x01
_STATE_SIZE, _STATE_FLAGS = 5, 7
_CODE = re.compile(r"[<>|=]?([a-zA-Z?])(\d*)")
_SIZE_OF_LETTER = {"?": 1, "b": 1, "B": 1}


def array_bytes(wrapper: Made) -> int | None:
    """Bytes of the array, or OBJECTS where a pickle of its own follows; None when that cannot be known."""
    state = wrapper.state
    if not isinstance(state, dict):
        return None
    shape, size = state.get("shape"), item_bytes(state.get("dtype"))
    if size is None or not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        return None
    return OBJECTS if size == OBJECTS else math.prod(shape) * size


def is_aligned(wrapper: Made) -> bool:
    """Whether one byte with the length of a padding, and the padding, stand before the array."""
    return isinstance(wrapper.state, dict) and wrapper.state.get("numpy_array_alignment_bytes") is not None


def item_bytes(dtype: Any) -> int | None:
    """Bytes of one item of a numpy dtype as it is pickled: by its code, or by its state where that has the size."""
    arguments = getattr(dtype, "arguments", None)
    if not isinstance(arguments, tuple) or not arguments or not isinstance(arguments[0], str):
        return None
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    if len(state) > _STATE_FLAGS and isinstance(state[_STATE_FLAGS], int) and state[_STATE_FLAGS] & _HAS_OBJECTS:
        return OBJECTS
    code = _CODE.fullmatch(arguments[0])
    if not code:
        return None
    return _coded(code[1], code[2], state)


def _coded(letter: str, digits: str, state: tuple[Any, ...]) -> int | None:
    if letter == "O":
        return OBJECTS
    if letter in "SUV" and len(state) > _STATE_SIZE and isinstance(state[_STATE_SIZE], int) and state[_STATE_SIZE] > 0:
        return int(state[_STATE_SIZE])
    if not digits:
        return _SIZE_OF_LETTER.get(letter)
    return int(digits) * (CHARACTER_BYTES if letter == "U" else 1)
