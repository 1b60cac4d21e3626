"""From a call to the answer's status and JSON; nothing that the user's code raises or returns ends the worker."""

import json
import os
import sys
import traceback
from typing import Any, Callable, Dict, List, Tuple

from mooring_serve import wire
from mooring_serve.handler import BadInput, ErrorResponse, File, refuse_unanswerable
from mooring_serve.program import Program
from mooring_serve.worker.forks import end_if_forked
from mooring_serve.worker.report import report

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_JSON = os.path.dirname(json.__file__) + os.sep


def answer(program: Program, call: wire.Call) -> wire.Answer:
    """The answer to one call; never raises for what the user's code does."""
    api, request, value, parts = call
    try:
        return 200, to_json(_called(lambda: program.run(api, value, _files(parts))))
    except BaseException as error:  # noqa: BLE001 - the user's code may raise anything, `SystemExit` included
        return _failed(error, request)


def answer_batch(program: Program, calls: List[wire.Call]) -> List[wire.Answer]:
    """The answers to several calls of one API: a bad call does not spoil the others'.

    A batch that fails as a whole is run again, each call by itself and from what was sent.
    """
    # The user's code may change what it is given: the second run needs the values as they came.
    values = wire.pack(tuple(value for _, _, value, _ in calls)) if len(calls) > 1 else b""
    answers: Dict[int, wire.Answer] = {}
    inputs: Dict[int, Any] = {}
    for place, call in enumerate(calls):
        try:
            inputs[place] = _prepared(program, call)
        except BaseException as error:  # noqa: BLE001 - the user's code may raise anything
            answers[place] = _failed(error, call[1])
    try:
        results = _called(lambda: program.run_batch(calls[0][0], list(inputs.values()))) if inputs else []
        answers.update((place, _sent(result, calls[place][1])) for place, result in zip(inputs, results))
    except BaseException as error:  # noqa: BLE001 - the same
        if len(inputs) > 1:
            _report_batch(error, len(inputs))
            fresh = next(wire.Unpacker().feed(values))
            answers.update((place, _again(program, calls[place], fresh[place])) for place in inputs)
        else:
            answers.update((place, _failed(error, calls[place][1])) for place in inputs)
    return [answers[place] for place in range(len(calls))]


def to_json(result: Any) -> bytes:
    """The result as JSON; numpy values and other array-likes as lists and numbers, sets as lists.

    Raises:
        TypeError: something that JSON has no form for, named.
        ValueError: what JSON cannot carry: not a number, infinity, a structure that holds itself or is too deep.
    """
    try:
        return json.dumps(result, default=_plain, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise ValueError("it is nested too deep for JSON") from error
    except ValueError as error:
        if "Out of range float" in str(error):
            raise ValueError(
                "it holds a number that is not finite (NaN or infinity), which JSON cannot carry"
            ) from error
        if "Circular reference" in str(error):
            raise ValueError("it holds itself (a circular structure), which JSON cannot carry") from error
        raise


def error_body(code: str, message: str) -> bytes:
    """The one form in which errors are answered."""
    return json.dumps({"error_code": code, "error_msg": message}, ensure_ascii=False).encode("utf-8", "replace")


def words(error: BaseException) -> str:
    """The message of an error, "" when the error's own code fails to give it."""
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - `__str__` of a user's class
        return ""


def _files(parts: List[Tuple[str, str, str, bytes]]) -> List[File]:
    return [File(content, name, content_type, field) for field, name, content_type, content in parts]


def _called(call: Callable[[], Any]) -> Any:
    """What the user's code returns or raises, in the worker; a child that it forked ends here."""
    try:
        result = call()
    except BaseException as error:
        end_if_forked(error)
        raise
    end_if_forked()
    return result


def _prepared(program: Program, call: wire.Call) -> Any:
    api, _, value, parts = call
    return _called(lambda: program.prepare(api, value, _files(parts)))


def _again(program: Program, call: wire.Call, value: Any) -> wire.Answer:
    api, request, _, parts = call
    return answer_batch(program, [(api, request, value, parts)])[0]


def _sent(result: Any, request: str) -> wire.Answer:
    """The answer for one result of a batch; a result that is an exception is the call's error."""
    if isinstance(result, BaseException):
        return _failed(result, request)
    try:
        return 200, to_json(result)
    except BaseException as error:  # noqa: BLE001 - the user's classes may raise anything while they are written
        return _failed(error, request)


def _plain(value: Any) -> Any:
    tolist = getattr(value, "tolist", None)  # numpy arrays and scalars, torch tensors
    if callable(tolist):
        return tolist()
    if isinstance(value, (set, frozenset)):
        try:
            return sorted(value)
        except Exception:  # noqa: BLE001 - of mixed types, or of a class that refuses to be compared
            return list(value)
    kind = type(value)
    hint = "; encode it, for example with base64" if isinstance(value, (bytes, bytearray, memoryview)) else ""
    raise TypeError(f"it holds a {kind.__module__}.{kind.__qualname__}, which JSON cannot carry{hint}")


def _failed(error: BaseException, request: str) -> wire.Answer:
    try:
        return _told(error, request)
    except BaseException:  # noqa: BLE001 - the error's own attributes are the user's code too
        return _internal("the handler raised an error that cannot be told", request)


def _told(error: BaseException, request: str) -> wire.Answer:
    if isinstance(error, BadInput):
        return 400, error_body("INVALID_REQUEST", words(error) or "the request cannot be answered")
    if not isinstance(error, ErrorResponse):
        report("ERROR handler failed", {"request_id": request}, error)
        return _internal(_place(error), request)
    try:
        refuse_unanswerable(error.status, error.body)
        return int(error.status), to_json(error.body)
    except BaseException as fault:  # noqa: BLE001 - its body is the user's
        report("ERROR handler failed", {"request_id": request}, fault)
        why = type(fault).__name__ if _frames(fault) else words(fault)
        return _internal(f"{_place(error)}, and its body cannot be sent: {why}", request)


def _internal(message: str, request: str) -> wire.Answer:
    return 500, error_body("HANDLER_FAILED", f"{message}; the log tells more under request id {request}")


def _place(error: BaseException) -> str:
    """Which error came from where; its message may hold secrets and stays in the log."""
    kind = type(error).__name__
    if isinstance(error, KeyError):
        kind = f"{kind} {words(error)}".rstrip()
    if error.__traceback__ is None:
        return f"the handler returned {kind}"
    frames = _frames(error)
    if not frames:
        return f"what the handler returned cannot be sent: {words(error)}"
    place = ([frame for frame in frames if frame.filename.startswith(_project())] or frames)[-1]
    return f"the handler raised {kind} ({os.path.basename(place.filename)} line {place.lineno})"


def _project() -> str:
    """The folder of the user's own code: a library's line number helps nobody."""
    return os.path.dirname(getattr(sys.modules.get("handler"), "__file__", None) or "/nowhere/") + os.sep


def _frames(error: BaseException) -> List[traceback.FrameSummary]:
    """Where an error came from, without our own code."""
    found = traceback.extract_tb(error.__traceback__)
    return [frame for frame in found if not frame.filename.startswith((_PACKAGE, _JSON))]


def _report_batch(error: BaseException, calls: int) -> None:
    if not isinstance(error, (BadInput, ErrorResponse)):
        report("WARNING batch failed, its calls are run one by one", {"calls": str(calls)}, error)
