"""A config.json out of the fields that CreateModel has for one who sends none: apis, input_params, output_params."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = ("apis", "input_params", "output_params")
# What config.json takes as it is.
TAKEN_OVER = ("runtime", "dependencies", "health")
JSON, FORM = "application/json", "multipart/form-data"
WHERE = ("protocol", "url", "method")


def combined(request: Mapping[str, Any], model_type: str) -> str:
    """The text of a config.json that says the same; "" when the request says nothing of apis.

    Invalid (`config-invalid`) when a field is not of the form that CreateModel gives it.
    """
    parts = {name: _listed(name, request.get(name)) for name in PARTS}
    if not any(parts.values()):
        return ""
    apis = _Apis()
    for api in parts["apis"]:
        found = apis.at(api)
        for side, name in (("request", "input_params"), ("response", "output_params")):
            if isinstance(api.get(name), dict):
                found[side] = {**found[side], **api[name]}
    for side, name in (("request", "input_params"), ("response", "output_params")):
        for param in parts[name]:
            apis.add(param, side)
    algorithm = request.get("model_algorithm")
    config = {
        **({"model_algorithm": algorithm} if algorithm else {}),
        "model_type": model_type,
        "apis": apis.plain(),
        **{name: request[name] for name in TAKEN_OVER if request.get(name)},
        **({"metrics": metrics} if (metrics := _metrics(request.get("model_metrics"))) else {}),
    }
    return json.dumps(config, ensure_ascii=False)


class _Apis:
    """Apis by their place, in the order in which they are first spoken of."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], dict[str, Any]] = {}

    def at(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """The schemas of the api that something is told about."""
        where = tuple(
            str(told.get(name) or standard) for name, standard in zip(WHERE, ("http", "/", "post"), strict=True)
        )
        place = (where[0].lower(), where[1], where[2].lower())
        empty = {"type": "object", "properties": {}}
        return self._found.setdefault(place, {"request": dict(empty), "response": dict(empty)})

    def add(self, param: Mapping[str, Any], side: str) -> None:
        """Add one flat parameter."""
        schema = self.at(param)[side]
        name = param.get("param_name")
        if not isinstance(name, str) or not name:
            raise _malformed("an entry of input_params or output_params has no param_name")
        found: dict[str, Any] = {"type": str(param.get("param_type") or "string")}
        found |= {
            key: param[name] for key, name in (("minimum", "min"), ("maximum", "max")) if param.get(name) is not None
        }
        if isinstance(param.get("param_desc"), str) and param["param_desc"]:
            found = _with_description(found, param["param_desc"])
        schema["properties"] = {**schema.get("properties", {}), name: found}

    def plain(self) -> list[dict[str, Any]]:
        """As config.json has them."""
        return [
            {
                **dict(zip(WHERE, place, strict=True)),
                **{side: {"Content-type": _content_type(schema), "data": schema} for side, schema in schemas.items()},
            }
            for place, schemas in self._found.items()
        ]


def _with_description(found: dict[str, Any], text: str) -> dict[str, Any]:
    """ShowModel writes the schema of a nested parameter into its description."""
    try:
        nested = json.loads(text)
    except ValueError:
        nested = None
    return {**found, **nested} if isinstance(nested, dict) else {**found, "description": text}


def _content_type(schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties")
    values = properties.values() if isinstance(properties, dict) else ()
    return FORM if any(isinstance(one, dict) and one.get("type") == "file" for one in values) else JSON


def _listed(name: str, told: Any) -> list[dict[str, Any]]:
    """The entries of a field; older clients send them as JSON in a string."""
    if isinstance(told, str) and told.strip():
        try:
            told = json.loads(told)
        except ValueError:
            raise _malformed(f"{name} is a text that is no JSON") from None
    found = told or []
    if not isinstance(found, list | tuple) or not all(isinstance(one, dict) for one in found):
        raise _malformed(f"{name} must be a list of objects")
    return list(found)


def _metrics(told: Any) -> dict[str, Any]:
    try:
        found = json.loads(told) if isinstance(told, str) else told
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _malformed(message: str) -> Invalid:
    return Invalid(message, hint="or send the whole config.json as initial_config", case="config-invalid")
