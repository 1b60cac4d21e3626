"""What a JSON body may hold beyond what JSON allows: only what can be kept as text, and told again."""

import json
from typing import Any, NoReturn

from mooring.errors import Invalid

DEPTH = 64
# More values than this take the event loop long enough for others to notice; a config.json has some thousands.
VALUES = 100_000


def require_sane(body: bytes) -> None:
    """Invalid (case `body-invalid`) for a body that is there and is no JSON, or has what no database keeps."""
    if not body:
        return
    if sum(map(body.count, (b"[", b"{", b","))) > VALUES:
        raise _invalid(f"the body has more than {VALUES} values")
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise _invalid(f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _invalid("the body is nested too deeply") from None
    except ValueError as error:
        raise _invalid(f"the body has a number that is none: {str(error)[:100]}") from None
    _look(value)


def _look(top: Any) -> None:
    left = [(top, 0)]
    while left:
        value, depth = left.pop()
        if depth > DEPTH:
            raise _invalid(f"the body is nested more than {DEPTH} levels deep")
        if isinstance(value, str):
            _require_text(value)
        elif isinstance(value, list):
            left += [(one, depth + 1) for one in value]
        elif isinstance(value, dict):
            left += [(one, depth + 1) for one in value.values()]
            for name in value:
                _require_text(name)
        elif isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise _invalid("the body has a number that is too large")


def _require_text(text: str) -> None:
    if "\0" in text or not (text.isascii() or text.encode("utf-8", "replace").decode() == text):
        raise _invalid(f"the body has text with a NUL or half a character: {text[:50]!r}")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _invalid(message: str) -> Invalid:
    return Invalid(message, hint="send one JSON object in UTF-8", case="body-invalid")
