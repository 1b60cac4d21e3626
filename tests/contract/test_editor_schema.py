"""The schema for editors takes the clean form and points at what is not clean."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from mooring.contract import ModelConfig
from mooring.contract.editor_schema import editor_schema

CONFIGS = Path(__file__).parent / "configs"
EDITOR = jsonschema_rs.Draft202012Validator(editor_schema())


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.json")), ids=lambda file: file.stem)
def test_every_clean_form_is_taken(file):
    assert EDITOR.is_valid(ModelConfig.load(file).clean())


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"model_algorithm": "7up"}, ["model_algorithm"]),
        ({"model_type": "Keras"}, ["model_type"]),
        ({"apis": []}, ["apis"]),
        ({"health": {"period_seconds": 5}}, ["health", "period_seconds"]),
        ({"metrics": {"f1": "0.9"}}, ["metrics", "f1"]),
    ],
)
def test_what_is_not_clean_is_pointed_at(change, path):
    document = json.loads((CONFIGS / "clean.json").read_text()) | change
    assert path in [error.instance_path for error in EDITOR.iter_errors(document)]
