"""An error in the package's code, told on one line: what, where, and the way there."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

_OURS = str(Path(__file__).resolve().parent)


def blame(error: BaseException, folder: Path, *, trail: bool = False) -> str:
    """One line: the error, and the last line of the package's own code that led to it.

    Args:
        error: what was raised.
        folder: the package's folder; frames in it are the package's own.
        trail: name every frame on the way there, too.
    """
    frames = [
        one for one in traceback.extract_tb(error.__traceback__) if not one.filename.startswith((_OURS, "<frozen"))
    ]
    own = [one for one in frames if folder in Path(one.filename).parents]
    told = f"{type(error).__name__}: {_one_line(str(error))}"
    if own:
        told += f" at {_place(own[-1])}: {_one_line(own[-1].line or '')}"
    if trail and len(frames) > 1:
        told += f" (by way of {' > '.join(_place(one) for one in frames)})"
    return told


def _place(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def _one_line(text: str) -> str:
    """The text as it is; with line breaks in it, as a JSON string."""
    return json.dumps(text, ensure_ascii=False) if "\n" in text or "\r" in text else text
