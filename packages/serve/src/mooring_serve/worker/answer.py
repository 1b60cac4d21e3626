"""From a call to the answer's status and JSON, with the user's mistakes told in plain words."""

import functools
import json
import math
import os
import sys
import time
import traceback
from typing import Any, Callable, List, Tuple

from mooring_serve import wire
from mooring_serve.handler import BadInput, ErrorResponse, File
from mooring_serve.program import Program

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_JSON = os.path.dirname(json.__file__) + os.sep

OpenCall = Tuple[int, str, Any, List[File]]


def answer(program: Program, api: int, request: str, value: Any, files: List[File]) -> wire.Answer:
    """The answer to one call; never raises for what the user's code does."""
    return _guarded(lambda: _ok(program.run(api, value, files)), request)


def answer_batch(program: Program, calls: List[OpenCall]) -> List[wire.Answer]:
    """The answers to several calls of one API: a call whose input is bad does not spoil the others'."""
    answers: List[wire.Answer] = [(500, b"")] * len(calls)
    prepared = []
    for place, (api, request, value, files) in enumerate(calls):
        try:
            prepared.append((place, program.prepare(api, value, files)))
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            answers[place] = _failed(error, request)
    try:
        results = program.run_batch(calls[0][0], [one for _, one in prepared]) if prepared else []
    except Exception as error:  # noqa: BLE001 - the same
        for place, _ in prepared:
            answers[place] = _failed(error, calls[place][1])
        return answers
    for (place, _), result in zip(prepared, results):
        answers[place] = _guarded(functools.partial(_ok, result), calls[place][1])
    return answers


def _ok(result: Any) -> wire.Answer:
    return 200, to_json(result)


def to_json(result: Any) -> bytes:
    """The result as JSON; numpy values and other array-likes as lists and numbers.

    Raises:
        TypeError: something that JSON has no form for, named.
        ValueError: a number that JSON has no form for (not a number, infinity).
    """
    try:
        return json.dumps(result, default=_plain, ensure_ascii=False, allow_nan=False).encode()
    except ValueError as error:
        if "Out of range float" in str(error):
            raise ValueError(
                "the result holds a number that is not finite (NaN or infinity), which JSON cannot carry"
            ) from error
        raise


def _plain(value: Any) -> Any:
    tolist = getattr(value, "tolist", None)  # numpy arrays and scalars, torch tensors
    if callable(tolist):
        return tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    kind = type(value)
    hint = "; encode it, for example with base64" if isinstance(value, (bytes, bytearray, memoryview)) else ""
    raise TypeError(f"the result holds a {kind.__module__}.{kind.__qualname__}, which JSON cannot carry{hint}")


def _guarded(call: Callable[[], wire.Answer], request: str) -> wire.Answer:
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        return _failed(error, request)


def _failed(error: Exception, request: str) -> wire.Answer:
    if isinstance(error, BadInput):
        return 400, error_body("INVALID_REQUEST", str(error) or "the request cannot be answered")
    if isinstance(error, ErrorResponse):
        return error.status, to_json(error.body)
    _log(error, request)
    return 500, error_body("HANDLER_FAILED", f"{_place(error)}; the log tells more under request id {request}")


def error_body(code: str, message: str) -> bytes:
    """The one form in which errors are answered."""
    return json.dumps({"error_code": code, "error_msg": message}, ensure_ascii=False).encode("utf-8", "replace")


def _place(error: Exception) -> str:
    """Which error came from where; its message may hold secrets and stays in the log."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _ours(frame.filename)]
    if not frames:
        return f"what the handler returned cannot be sent: {error}"
    kind = f"KeyError {error}" if isinstance(error, KeyError) else type(error).__name__
    return f"the handler raised {kind} ({os.path.basename(frames[-1].filename)} line {frames[-1].lineno})"


def _ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, _JSON))


def _log(error: Exception, request: str) -> None:
    told = "".join(traceback.format_exception(type(error), error, error.__traceback__)).strip()
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{math.floor(now % 1 * 1000):03d}Z"
    more = f"\n{told}" if sys.stdout.isatty() else f" traceback={json.dumps(told)}"
    sys.stdout.write(f"{stamp} ERROR handler failed request_id={request}{more}\n")
