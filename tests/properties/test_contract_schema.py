"""True of every schema there could be: it is used or refused, and its examples fit."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mooring.contract import schema
from mooring.errors import Invalid

NAMES = st.sampled_from(["a", "b", "images", "a b", "type", "é"])
LEAVES = st.one_of(
    st.just({}),
    st.builds(
        lambda kind: {"type": kind}, st.sampled_from(["string", "boolean", "null", "float", "json", "int", "file"])
    ),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
        st.integers(-9, 9),
        st.integers(0, 9),
    ),
    st.builds(
        lambda low, more: {"type": "number", "exclusiveMinimum": low, "maximum": low + more},
        st.integers(-9, 9),
        st.integers(1, 9),
    ),
    st.builds(
        lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    st.builds(lambda options: {"enum": options}, st.lists(st.integers() | st.text(max_size=3), min_size=1, max_size=4)),
)


def containers(inner):
    return st.one_of(
        st.builds(lambda item: {"type": "list", "items": [item]}, inner),
        st.builds(lambda items: {"type": "array", "items": items}, st.lists(inner, min_size=2, max_size=3)),
        st.builds(
            lambda item, low, more: {"type": "array", "items": item, "minItems": low, "maxItems": low + more},
            inner,
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        st.builds(
            lambda properties, all_required: {
                "type": "object",
                "properties": properties,
                "required": list(properties) if all_required else [],
            },
            st.dictionaries(NAMES, inner, max_size=4),
            st.booleans(),
        ),
    )


SCHEMAS = st.recursive(LEAVES, containers, max_leaves=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
KEYWORDS = st.sampled_from(
    [
        "type",
        "items",
        "item",
        "properties",
        "required",
        "enum",
        "const",
        "minimum",
        "maxLength",
        "multipleOf",
        "pattern",
        "$ref",
        "$defs",
        "allOf",
        "anyOf",
        "not",
        "additionalProperties",
        "examples",
        "format",
        "uniqueItems",
        "nullable",
    ]
)
ANYTHING = st.recursive(
    JSON | st.just("#") | st.just("file"), lambda inner: st.dictionaries(KEYWORDS, inner, max_size=4)
)


@given(SCHEMAS)
@settings(deadline=None)
def test_an_example_fits_its_schema(data):
    assert schema.validate(data, schema.example(data)) == []


@given(SCHEMAS)
@settings(deadline=None)
def test_boundaries_begin_with_the_example_and_all_fit(data):
    values = schema.boundaries(data)
    assert values[0] == schema.example(data)
    assert all(schema.validate(data, value) == [] for value in values)


@given(SCHEMAS, JSON)
@settings(deadline=None)
def test_a_judgement_is_a_list_of_sentences(data, value):
    assert all(isinstance(message, str) and message for message in schema.validate(data, value))


@given(st.dictionaries(KEYWORDS, ANYTHING, max_size=4), JSON)
@settings(deadline=None)
def test_any_schema_is_used_or_refused(data, value):
    try:
        schema.validate(data, value)
        schema.example(data)
        schema.boundaries(data)
    except Invalid:
        return
