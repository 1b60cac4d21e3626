"""What the server refuses, as an answer: a status, a code that stays the same, and a sentence for a person."""

from __future__ import annotations

import json

Headers = tuple[tuple[bytes, bytes], ...]


class Problem(Exception):
    """An error answer, `{"error_code": ..., "error_msg": ...}`."""

    def __init__(self, status: int, code: str, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def body(self) -> bytes:
        """The answer's body, JSON in UTF-8."""
        told = {"error_code": self.code, "error_msg": self.message}
        return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")


def invalid(message: str) -> Problem:
    """400: what was sent cannot be understood or is not what the API declares."""
    return Problem(400, "INVALID_REQUEST", message)


def too_large(limit: int) -> Problem:
    """413, with the limit."""
    return Problem(413, "BODY_TOO_LARGE", f"the request body is larger than {limit} bytes ({limit / 2**20:g} MiB)")


def headers_too_large(limit: int) -> Problem:
    """431, with the limit."""
    return Problem(431, "HEADERS_TOO_LARGE", f"the headers are larger than {limit} bytes")


def not_ready(reason: str) -> Problem:
    """503: no model to answer with, for now."""
    return Problem(503, "NOT_READY", reason, ((b"retry-after", b"1"),))


def queue_full(waiting: int, seconds: int) -> Problem:
    """429: back-pressure, with the time after which a retry makes sense."""
    return Problem(
        429,
        "QUEUE_FULL",
        f"{waiting} requests are waiting for the model already; try again in {seconds} s",
        ((b"retry-after", str(seconds).encode()),),
    )


def timed_out(limit: float) -> Problem:
    """504: no answer within the time limit."""
    return Problem(504, "PREDICT_TIMEOUT", f"the model did not answer within {limit:g} s")


def worker_died(how: str) -> Problem:
    """502: the model's process ended while it held this request."""
    return Problem(502, "WORKER_DIED", f"the model's process {how} while it answered this request")
