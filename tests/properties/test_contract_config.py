"""True of every config.json there could be: it is read or refused, and what is read once is clean for ever."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.contract import ModelConfig, edition, editions
from mooring.errors import Invalid

FIXTURES = [file.read_bytes() for file in sorted((Path(__file__).parents[1] / "contract" / "configs").glob("*.json"))]
KEYS = st.sampled_from(
    [
        "model_algorithm",
        "model_type",
        "runtime",
        "swr_location",
        "metrics",
        "apis",
        "dependencies",
        "health",
        "request",
        "response",
        "data",
        "url",
        "method",
        "protocol",
        "procotol",
        "Content-type",
        "content_type",
        "type",
        "properties",
        "items",
        "item",
        "required",
        "packages",
        "installer",
        "package_name",
        "package_version",
        "restraint",
        "f1",
        "check_method",
        "period_seconds",
        "$ref",
        "$defs",
        "enum",
        "minimum",
        "minItems",
        "pattern",
        "input_params",
        "additionalProperties",
        "allOf",
        "prefixItems",
        "nullable",
    ]
)
WORDS = st.sampled_from(
    [
        "Image",
        "PyTorch",
        "file",
        "list",
        "object",
        "array",
        "float",
        "/",
        "POST",
        "http",
        "application/json",
        "12",
        "",
        "#",
        "multipart/form-data",
        "pip",
        "EXACT",
        "1.0",
        '{"a": 1}',
        "[",
        "#/$defs/a",
        "http://[",
        "(",
        "é漢🙂",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)

OBJECTS = st.dictionaries(KEYS, VALUES, max_size=5)
# The right shape around anything at all, so that every corner is reached.
SHAPED = st.fixed_dictionaries(
    {"model_algorithm": WORDS, "model_type": WORDS},
    optional={
        "apis": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "request": st.fixed_dictionaries({"data": OBJECTS}),
                    "response": OBJECTS,
                    "input_params": OBJECTS,
                },
            ),
            max_size=2,
        ),
        "dependencies": st.lists(
            st.fixed_dictionaries({"packages": st.lists(OBJECTS | WORDS, max_size=3)}), max_size=2
        ),
        "health": OBJECTS,
        "metrics": OBJECTS,
    },
)


def read_or_refuse(data):
    """The config, or None where it was refused with a place. Anything else that is raised fails the test."""
    try:
        return ModelConfig.parse(data)
    except Invalid as refusal:
        place = refusal.message.partition(":")[0]
    assert place == "config.json"
    return None


def assert_clean(config):
    again = ModelConfig.parse(json.dumps(config.clean()).encode())
    assert again.clean() == config.clean()
    # What the model is called only its author knows.
    told = "model_algorithm" in config.clean()
    assert {finding.id for finding in again.findings} == (set() if told else {"CFG-ALG-01"})
    assert again == config


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    read_or_refuse(data)


@given(st.sampled_from(FIXTURES), st.integers(0, 2000), st.integers(0, 20), st.binary(max_size=6))
@settings(deadline=None)
def test_a_damaged_file_is_read_or_refused(data, at, removed, inserted):
    config = read_or_refuse(data[:at] + inserted + data[at + removed :])
    if config is not None:
        assert_clean(config)


@given(SHAPED | st.dictionaries(KEYS, VALUES, max_size=6) | st.lists(VALUES, max_size=3))
@settings(deadline=None)
def test_what_is_read_once_is_clean_for_ever(document):
    config = read_or_refuse(json.dumps(document).encode())
    if config is not None:
        assert_clean(config)


@given(SHAPED)
@settings(deadline=None)
def test_every_edition_can_judge_whatever_was_read(document):
    config = read_or_refuse(json.dumps(document).encode())
    if config is not None:
        for name in editions():
            assert set(config.findings) <= set(config.check(edition(name)))
