"""How the API says no: always JSON, always a code of the documents, never what is inside."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from mooring.api.problems import BAD_REQUEST, NO_SUCH_API, OUR_BUG, REQUIRED, Problem, problem_of
from mooring.errors import MooringError

LOG = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 2
# A request that is wrong in more places than these is told the first ones.
PLACES = 5


class ErrorBody(BaseModel):
    """What every answer that is no success says."""

    error_code: str = Field(examples=["ModelArts.3502"])
    error_msg: str


def told(error: MooringError) -> Response:
    """An error of ours as an answer."""
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    return answer(problem_of(error), message)


def answer(problem: Problem, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is no success."""
    more = dict(headers or {})
    if problem.status == 401:  # noqa: PLR2004 - the status that asks for a credential
        more["WWW-Authenticate"] = 'Bearer realm="mooring"'
    if problem.status == 503:  # noqa: PLR2004 - the status that says "later"
        more["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return JSONResponse({"error_code": problem.code, "error_msg": message}, problem.status, more)


def failed(number: str) -> Response:
    """The answer to a call that a mistake of ours has spoiled: the traceback is in the log, under this number."""
    return answer(OUR_BUG, f"the platform made a mistake; its log has it under {number}")


async def _on_ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, MooringError)  # noqa: S101 - what it is registered for
    return told(error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if error.status_code in (404, 405):
        method = f"{request.method} {request.url.path[:200]}"
        hint = f"it takes {error.headers['Allow']}" if error.headers else "/openapi.json has all that there is"
        return answer(Problem(error.status_code, NO_SUCH_API), f"there is no {method}; {hint}", error.headers)
    return answer(Problem(error.status_code, BAD_REQUEST), str(error.detail), error.headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    errors = error.errors()
    text = "; ".join(f"{_place(one['loc'])}: {_words(one)}" for one in errors[:PLACES])
    missing = all(one["type"] == "missing" for one in errors)
    code = REQUIRED if missing and "/models" in request.url.path else BAD_REQUEST
    return answer(Problem(400, code), text)


def _words(error: Mapping[str, Any]) -> str:
    if error["type"] == "missing":
        return "is missing"
    return str(error["msg"]).removeprefix("Value error, ")


def _place(loc: Iterable[str | int]) -> str:
    """Where: `config[0].model_id`, or `limit`; "body" for a body that is none."""
    where, *inside = loc
    found = ""
    for part in inside:
        found += f"[{part}]" if isinstance(part, int) else f".{part}"
    return found.removeprefix(".") or str(where)


def teach(app: FastAPI) -> None:
    """Have an application answer in this way."""
    app.add_exception_handler(MooringError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
