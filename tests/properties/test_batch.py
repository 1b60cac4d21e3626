"""Mapping, tables, manifests and the names of results, for whatever there may be."""

import asyncio
import csv
import io
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mooring.batch.item import Item, Outcome
from mooring.batch.listing import write_manifest
from mooring.batch.manifest import ManifestForm, ManifestReader, read_result_line
from mooring.batch.mapping import Mapping, rule_for
from mooring.batch.naming import ResultNames
from mooring.batch.table import Row, RowReader
from mooring.contract import edition, editions
from mooring.errors import Invalid
from mooring.storage import parse
from mooring.storage.memory import MemoryStorage

cells = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
tables = st.lists(st.lists(cells, min_size=1, max_size=5), max_size=15)
names = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1, max_size=12)
segments = names.filter(lambda name: name not in (".", ".."))
keys = st.lists(segments, min_size=1, max_size=3).map("/".join)


def written(table, ending):
    out = io.StringIO(newline="")
    # Of the ends of lines, the writer quotes its own only.
    ends = any(end in cell for row in table for cell in row for end in "\r\n")
    csv.writer(out, lineterminator=ending, quoting=csv.QUOTE_ALL if ends else csv.QUOTE_MINIMAL).writerows(table)
    return out.getvalue().encode()


def cut(data, places):
    """The data in pieces, cut at those places."""
    ends = [*sorted({min(place, len(data)) for place in places}), len(data)]
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def rows_of(pieces):
    reader = RowReader()
    return [row for piece in pieces for row in reader.feed(piece)] + list(reader.end())


@given(tables, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 400), max_size=8), st.booleans())
def test_a_table_is_read_back_however_its_bytes_come(table, ending, places, mark):
    data = (b"\xef\xbb\xbf" if mark else b"") + written(table, ending)
    rows = rows_of(cut(data, places))
    assert [row.cells for row in rows] == table
    assert [row.number for row in rows] == list(range(1, len(table) + 1))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_no_bytes_bring_the_reader_down_nor_does_it_matter_how_they_come(data, places):
    whole = rows_of([data])
    assert rows_of(cut(data, places)) == whole
    assert [row.number for row in whole] == list(range(1, len(whole) + 1))


leaves = st.sampled_from([{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}])
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=4).map(lambda found: {"type": "object", "properties": found})
        | inner.map(lambda one: {"type": "array", "items": one})
    ),
    max_leaves=8,
).filter(lambda schema: schema["type"] == "object")


def leaves_of(value):
    if isinstance(value, dict | list):
        return [leaf for one in (value.values() if isinstance(value, dict) else value) for leaf in leaves_of(one)]
    return [value]


@given(schemas, st.data())
def test_the_rule_of_a_schema_maps_each_cell_to_its_leaf_exactly(schema, data):
    mapping = Mapping(rule_for(schema))
    kinds = {
        "string": cells,
        "integer": st.integers().map(str),
        "number": st.decimals(allow_nan=False, allow_infinity=False, places=6).map(lambda one: format(one, "f")),
        "boolean": st.sampled_from(["true", "False", "1", "no"]),
    }
    row = [data.draw(kinds[leaf.type]) for leaf in sorted(mapping.leaves, key=lambda leaf: leaf.index)]
    body = json.loads(mapping.body(Row(1, 1, row)), parse_float=Decimal, parse_int=Decimal)
    read = {"string": str, "integer": Decimal, "number": Decimal, "boolean": ("true", "1").__contains__}
    expected = [read[leaf.type](row[leaf.index]) for leaf in mapping.leaves]
    assert leaves_of(body) == expected
    assert len(mapping.leaves) == 1 + max(leaf.index for leaf in mapping.leaves)


WORDS = ("type", "properties", "items", "index", "required", "a", "object", "string")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=10,
)


@given(json_values, st.lists(cells, max_size=4))
def test_whatever_is_no_rule_is_refused_in_words(rule, row):
    try:
        mapping = Mapping(rule)
        json.loads(mapping.body(Row(1, 1, row)))
    except Invalid as error:
        assert error.message  # noqa: PT017 - either is right, nothing else is


@given(st.lists(keys, max_size=20), st.booleans(), st.lists(st.integers(0, 500), max_size=5), st.data())
def test_a_list_of_inputs_is_read_back_however_its_bytes_come(found, mark, places, data):
    lines = []
    for key in found:
        name = data.draw(st.sampled_from(["source", "source ", " source"]))
        end = data.draw(st.sampled_from(["\n", "\r\n", "\n\n", " \n"]))
        lines.append(json.dumps({name: f"obs://inbox/{key}", "usage": 1}, ensure_ascii=data.draw(st.booleans())) + end)
    text = ("\ufeff" if mark else "") + "".join(lines)
    reader = ManifestReader("in.manifest")
    read = [source for piece in cut(text.encode(), places) for source in reader.feed(piece)] + list(reader.end())
    assert [(source.text, source.address.key) for source in read] == [(f"obs://inbox/{key}", key) for key in found]


tricky = names | st.sampled_from(["a", "a_result.txt", "", "..", ".x", "a_result.txt.d", "b" * 300, "a~1"])
paths_of_inputs = st.lists(st.lists(tricky, min_size=1, max_size=3).map("/".join), max_size=40)


@given(paths_of_inputs)
def test_no_two_results_are_called_alike_nor_is_one_in_anothers_way(paths):
    one, again = ResultNames(edition()), ResultNames(edition())
    given_names = [one.give(path, index=index) for index, path in enumerate(paths)]
    assert given_names == [again.give(path, index=index) for index, path in enumerate(paths)]
    assert len(set(given_names)) == len(paths)
    folders = {"/".join(name.split("/")[:depth]) for name in given_names for depth in range(1, name.count("/") + 1)}
    assert folders.isdisjoint(given_names)
    for name in given_names:
        parts = name.split("/")
        assert parts[0] == "infer-result"
        assert parts[-1].endswith("_result.txt")
        assert not {"", ".", ".."} & set(parts)
        assert max(len(part.encode()) for part in parts) <= 255


errors = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
outcomes = st.lists(st.tuples(keys, st.booleans(), errors), max_size=30)


@given(st.sampled_from(editions()), st.sampled_from(["obs", "s3", "/"]), outcomes, st.integers(1, 2000))
def test_a_list_of_results_has_every_input_once_in_order_in_every_edition(name, scheme, found, part_bytes):
    form = ManifestForm.of(edition(name), "T1")
    output = parse("/outbox/run7/" if scheme == "/" else f"{scheme}://outbox/run7/")
    place = MemoryStorage(output)

    async def stream():
        for index, (key, ok, error) in enumerate(found):
            item = Item(index, f"{output}{key}", key, f"infer-result/{index}_result.txt")
            yield Outcome(item, ok=ok, error="" if ok else error)

    parts = asyncio.run(write_manifest(place, stream(), form, part_bytes=part_bytes))
    assert len(set(parts)) == len(parts) == len(place.held)
    assert all(part.startswith("infer-result-") and part.endswith(".manifest") for part in parts)
    held = {name.removeprefix(output.key): data for name, data in place.held.items()}
    lines = [line for part in parts for line in held[part].splitlines(keepends=True)]
    read = [read_result_line(line) for line in lines]
    assert [one.source for one in read] == [f"{output}{key}" for key, _, _ in found]
    assert [one.ok for one in read] == [ok for _, ok, _ in found]
    for index, (one, (_, ok, error)) in enumerate(zip(read, found, strict=True)):
        assert one.location == ("" if not ok else one.location)
        assert one.location.endswith(f"outbox/run7/infer-result/{index}_result.txt") is ok
        assert one.error == ("" if ok or "error_message" not in form.fields else error)
    for part in parts:
        assert len(held[part]) <= part_bytes or held[part].count(b"\n") == 1
