"""The API's description of itself, in the version of OpenAPI that the page at /docs reads (3.0)."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mooring.api.door import is_open
from mooring.api.failing import ErrorBody

VERSION = "3.0.3"
ABOUT = (
    "Models and real-time services, as version 1 of the ModelArts API has them. Every call is made by someone: with a "
    "token in `X-Auth-Token` or `Authorization: Bearer`, or with a signature (SDK-HMAC-SHA256) by a key pair."
)
SCHEMES = {
    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
REASONS = {
    "400": "The request is wrong, or asks for what cannot be.",
    "401": "Nobody known makes it.",
    "403": "Whoever makes it may not.",
    "404": "There is no such thing, or not in this project.",
    "408": "The body did not arrive in time.",
    "409": "There is one already.",
    "413": "The body is too large.",
    "500": "A mistake of the platform's.",
    "503": "The platform cannot answer now; ask again later.",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole description; made once."""
    if not app.openapi_schema:
        made = get_openapi(
            title=app.title, version=app.version, openapi_version=VERSION, description=ABOUT, routes=app.routes
        )
        schemas = made["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas["ErrorBody"] = ErrorBody.model_json_schema()
        made["components"]["securitySchemes"] = SCHEMES
        for path, operations in made["paths"].items():
            for operation in operations.values():
                _complete(operation, opened=is_open(path))
        app.openapi_schema = _as_3_0(made)
    return app.openapi_schema


def _complete(operation: dict[str, Any], *, opened: bool) -> None:
    """Every operation can fail in the same ways."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    operation["responses"].pop("422", None)
    for status, reason in REASONS.items():
        operation["responses"][status] = {"description": reason, "content": content}
    operation["security"] = [] if opened else [{name: []} for name in SCHEMES]


def _as_3_0(value: Any) -> Any:
    """The same in the words of 3.0, which has no type `null`, no `const`, and one example instead of several."""
    if isinstance(value, list):
        return [_as_3_0(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _as_3_0(one) for name, one in value.items()}
    options = made.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        options = [one for one in options if one != {"type": "null"}]
        made["nullable"] = True
        if len(options) == 1 and "$ref" not in options[0]:
            del made["anyOf"]
            made = {**options[0], **made}
        else:
            made["anyOf"] = options
    if isinstance(made.get("examples"), list):
        made["example"] = made.pop("examples")[0]
    return made
