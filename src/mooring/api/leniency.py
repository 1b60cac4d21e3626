"""How loosely a request may be written: numbers and truth values as text, JSON in a string, enums in any case.

Clients of this API send `"weight": "100"` as the documents' samples do, `"source_copy": "true"`, and so on.
"""

import json
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

# What both databases keep as a whole number.
LARGEST = 2**63 - 1
_TRUE, _FALSE = "true", "false"


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and not (value.isascii() and value.isdigit())):
        raise ValueError("must be a whole number from 0")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - a validator tells by ValueError
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, str) and value.lower() in (_TRUE, _FALSE):
        return value.lower() == _TRUE
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - a validator tells by ValueError
    return value


def _json_text(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json_list(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError):
        raise ValueError("must be an array, or the JSON of one") from None


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _canonical(*known: str) -> Callable[[Any], Any]:
    spelled = {name.lower(): name for name in known}
    return lambda value: spelled.get(value.lower(), value) if isinstance(value, str) else value


def one_of(*known: str) -> BeforeValidator:
    """Letters of either case for one of these; what is none of them is left to whoever asks for it."""
    return BeforeValidator(_canonical(*known))


def said(**schema: Any) -> Any:
    """What the description says of a field beyond what is looked at here: control has the last word."""
    return Field(json_schema_extra=schema)


_WHOLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,18}$"}]}
_FLAG_SCHEMA = {
    "anyOf": [{"type": "boolean"}, {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"}]
}

Whole = Annotated[int, BeforeValidator(_whole), WithJsonSchema(_WHOLE_SCHEMA, mode="validation")]
Number = Annotated[float, BeforeValidator(_number)]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema(_FLAG_SCHEMA, mode="validation")]
Text = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]}, mode="validation")
]
JsonText = Annotated[
    str,
    BeforeValidator(_json_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}, mode="validation"),
]
JsonList = Annotated[
    list[dict[str, Any]],
    BeforeValidator(_json_list),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "string"}]}, mode="validation"),
]
DESCRIPTION = said(pattern="^[^!<>=&+\"']{0,100}$")
Order = Annotated[
    str,
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    said(enum=["asc", "desc"]),
]
Lower = Annotated[str, BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)]
Upper = Annotated[str, BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)]
