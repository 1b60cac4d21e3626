"""The JSON Schema of config.json's clean form, for editors: what may stand where, and what it means."""

from __future__ import annotations

import re
from typing import Any

from mooring.contract import vocabulary as v
from mooring.contract.conformity.apis import METHODS
from mooring.contract.edition import edition
from mooring.contract.mending.dependencies import RESTRAINTS
from mooring.contract.mending.document import METRICS, MODEL_TYPES
from mooring.contract.mending.health import HEALTH_BLOCKS
from mooring.contract.mending.keywords import TYPES

_TEXT = {"type": "string", "minLength": 1}
_PATH = {"type": "string", "pattern": "^/"}
_DIGITS = {"type": "string", "pattern": "^[0-9]{1,10}$"}


def editor_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 for config.json by the default edition; unknown names are allowed, as everywhere."""
    base = edition()
    longest = base[v.CONFIG_ALGORITHM_MAX_LENGTH]
    forbidden = re.escape(base[v.CONFIG_FORBIDDEN_CHARACTERS])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.json of a model image",
        "type": "object",
        "required": ["model_algorithm", "model_type", "apis"],
        "properties": {
            "model_algorithm": {
                "description": "What the model does; a name that you choose.",
                "type": "string",
                "pattern": f"^[A-Za-z][^{forbidden}]*$",
                "maxLength": longest,
            },
            "model_type": {"description": "Image, or the engine that runs the model.", "enum": list(MODEL_TYPES)},
            "runtime": {"description": "The engine's runtime; an image has none.", **_TEXT},
            "swr_location": {"description": "Where the image is, when the package comes from storage.", **_TEXT},
            "metrics": {"type": "object", "properties": {name: {"type": "number"} for name in METRICS}},
            "apis": {"type": "array", "minItems": 1, "items": _api(base[v.SERVICE_PROTOCOLS])},
            "dependencies": {
                "description": "What is installed before the model is loaded, in this order; an image has none.",
                "type": "array",
                "items": _dependency(base[v.CONFIG_INSTALLERS]),
            },
            **{name: {"$ref": "#/$defs/health"} for name in HEALTH_BLOCKS},
        },
        "$defs": {
            "health": _health(),
            "schema": _data(list(TYPES)),
            "file": {
                "description": "A file, sent as a field of a form.",
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"const": "file"}},
            },
        },
    }


def _api(protocols: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["protocol", "url", "method", "request", "response"],
        "properties": {
            "protocol": {"description": "What the server in the container speaks.", "enum": list(protocols)},
            "url": {"description": "The path that callers use.", **_PATH},
            "method": {"enum": list(METHODS)},
            "request": _body(
                ["application/json", "multipart/form-data"],
                {
                    "type": "object",
                    "properties": {
                        "properties": {
                            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/file"}, {"$ref": "#/$defs/schema"}]}
                        }
                    },
                },
            ),
            "response": _body(["application/json"], {"$ref": "#/$defs/schema"}),
        },
    }


def _body(types: list[str], data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["Content-type", "data"],
        "properties": {"Content-type": {"examples": types, **_TEXT}, "data": data},
    }


def _data(types: list[str]) -> dict[str, Any]:
    one = {"enum": types}
    return {
        "description": "JSON Schema 2020-12.",
        "type": ["object", "boolean"],
        "properties": {
            "type": {"anyOf": [one, {"type": "array", "items": one}]},
            "properties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/schema"}},
            "items": {"$ref": "#/$defs/schema"},
            "prefixItems": {"type": "array", "items": {"$ref": "#/$defs/schema"}},
            "required": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
    }


def _dependency(installers: tuple[str, ...]) -> dict[str, Any]:
    package = {
        "type": "object",
        "required": ["package_name"],
        "properties": {
            "package_name": _TEXT,
            "package_version": _TEXT,
            "restraint": {"description": "==, >= or <= in words.", "enum": list(RESTRAINTS)},
        },
        "dependentRequired": {"package_version": ["restraint"], "restraint": ["package_version"]},
    }
    return {
        "type": "object",
        "required": ["installer", "packages"],
        "properties": {"installer": {"enum": list(installers)}, "packages": {"type": "array", "items": package}},
    }


def _health() -> dict[str, Any]:
    return {
        "description": "How the platform asks whether the model is well. Numbers are texts.",
        "type": "object",
        "properties": {
            "check_method": {"enum": ["HTTP", "EXEC"]},
            "url": _PATH,
            "command": _TEXT,
            "protocol": {"const": "http"},
            "period_seconds": _DIGITS,
            "initial_delay_seconds": _DIGITS,
            "timeout_seconds": _DIGITS,
            "failure_threshold": _DIGITS,
        },
    }
