"""The keywords of JSON Schema 2020-12, and what people write where one of them is meant."""

from __future__ import annotations

# Keywords that hold one schema, a list of schemas, or schemas by name.
ONE = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
)
MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
NUMBERS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minContains",
    "maxContains",
    "minProperties",
    "maxProperties",
)
OTHERS = ("type", "items", "required", "enum", "const", "pattern", "format", "uniqueItems", "dependentRequired", "$ref")
# What a schema says about itself without judging anything. "index" is the batch mapping's.
ANNOTATIONS = (
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$anchor",
    "index",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
)
# Keywords for which null is a value like any other.
NULLABLE = ("const", "default", "example")
KEYWORDS = (*OTHERS, *NUMBERS, *ONE, *MANY, *NAMED)
KNOWN = (*KEYWORDS, *ANNOTATIONS)

# "item" stands in the documents' own samples.
TYPOS = {
    "item": "items",
    "property": "properties",
    "propertys": "properties",
    "propertie": "properties",
    "propertis": "properties",
    "require": "required",
    "requires": "required",
}

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
ANY = ""
# What is in a file, said where a form's field should say `file`. A client may also mean base64 in a text, so this is
# a hint and no mend.
LIKE_FILES = ("image", "img", "picture", "photo", "audio", "video", "binary", "blob", "bytes", "upload", "files")
# Types of other languages, of the REST interface and of samples. ANY where no single JSON type is meant.
OTHER_TYPES = {
    "list": "array",
    "tuple": "array",
    "arr": "array",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "numeric": "number",
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "str": "string",
    "text": "string",
    "date": "string",
    "bool": "boolean",
    "dict": "object",
    "map": "object",
    "none": "null",
    "json": ANY,
    "any": ANY,
    "timestamp": ANY,
    "box": ANY,
}
