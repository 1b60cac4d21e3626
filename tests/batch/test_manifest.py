"""Lists of inputs and of results, as the documents have them."""

import asyncio
import json

import pytest

from mooring.batch.item import Item, Outcome
from mooring.batch.listing import items_of
from mooring.batch.manifest import ManifestForm, ManifestReader
from mooring.batch.naming import ResultNames
from mooring.contract import edition
from mooring.errors import Invalid, NotFound, Refused
from mooring.storage import Places, parse


def sources(data):
    reader = ManifestReader("in.manifest")
    return [source.text for source in reader.feed(data)] + [source.text for source in reader.end()]


def test_a_list_may_have_blanks_marks_and_doubles():
    data = (
        b'\xef\xbb\xbf{"source":"obs://inbox/a"}\r\n\r\n{"source ":"s3://inbox/b","usage":"x"}\n'
        b'{"source":"/inbox/a"}\n{"source":"obs://inbox/a"}'
    )
    assert sources(data) == ["obs://inbox/a", "s3://inbox/b", "/inbox/a", "obs://inbox/a"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"nonsense", "is no JSON object"),
        (b"\xff\xfe", "is no JSON object"),
        (b"[" * 50_000, "is no JSON object"),
        (b"[]", "is a list"),
        (b"{}", "has no source"),
        (b'{"source":7}', "has a source that is the number 7"),
        (b'{"source":"obs://inbox/folder/"}', "names the folder obs://inbox/folder/"),
        (b'{"source":"obs://inbox/../a"}', "has no usable source"),
        (b'{"source":"' + b"a" * 70_000 + b'"}', "is longer than 64 KiB"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line, message):
    with pytest.raises(Invalid, match=r"in\.manifest, line 3 ") as caught:
        sources(b'{"source":"obs://inbox/a"}\n\n' + line + b"\n")
    assert message in caught.value.message


def outcome(*, ok=True, source="obs://inbox/day1/a.png", error=""):
    return Outcome(Item(0, source, "a.png", "infer-result/a.png_result.txt"), ok=ok, error=error)


def lines(name, output, *outcomes):
    form = ManifestForm.of(edition(name), "T")
    return [form.name(part) for part in range(3)], [json.loads(form.line(one, parse(output))) for one in outcomes]


def test_results_are_listed_as_the_newest_documents_have_it():
    names, found = lines("otc-2025", "obs://outbox/run7/", outcome(), outcome(ok=False, error="Download file failed."))
    assert names == ["infer-result-T.manifest", "infer-result-T_1.manifest", "infer-result-T_2.manifest"]
    source = {"source": "obs://inbox/day1/a.png"}
    assert found == [
        source | {"result": "SUCCESSFUL", "inference-loc": "obs://outbox/run7/infer-result/a.png_result.txt"},
        source | {"result": "FAILED", "error_message": "Download file failed."},
    ]


def test_results_are_listed_as_the_older_documents_have_it():
    names, found = lines("otc-2022", "obs://outbox/run7/", outcome(), outcome(ok=False, error="x"))
    assert names == ["infer-result-0.manifest", "infer-result-1.manifest", "infer-result-2.manifest"]
    source = {"source": "obs://inbox/day1/a.png"}
    assert found == [source | {"inference-loc": "obs://outbox/run7/infer-result/a.png_result.txt"}, source]


def test_results_in_a_folder_are_named_by_its_address():
    _, found = lines("otc-2025", "file:///out/run 7", outcome())
    assert found[0]["inference-loc"] == "file:///out/run%207/infer-result/a.png_result.txt"


def test_no_signature_gets_into_the_list_of_results():
    _, found = lines("otc-2025", "obs://outbox/", outcome(source="https://b.obs.host/a?AccessKeyId=A&Signature=S"))
    assert found[0]["source"] == "https://b.obs.host/a"


async def listed(places, text, **options):
    return [item async for item in items_of(places, parse(text), ResultNames(edition()), **options)]


def test_items_of_a_folder_keep_their_folders_and_those_of_a_list_their_names():
    places = Places()

    async def story():
        place = places.place(parse("memory:in"))
        for name in ("b/a.png", "a.png", "list.manifest"):
            await place.write(
                name, b"".join(b'{"source":"obs://inbox/%s.png"}\n' % key for key in (b"1/a", b"2/a", b"b"))
            )
        folder = await listed(places, "memory:in")
        return folder, await listed(places, "memory:in/list.manifest")

    folder, manifest = asyncio.run(story())
    assert [(item.index, item.source, item.name, item.result) for item in folder[:2]] == [
        (0, "memory:in/a.png", "a.png", "infer-result/a.png_result.txt"),
        (1, "memory:in/b/a.png", "a.png", "infer-result/b/a.png_result.txt"),
    ]
    assert [item.name for item in manifest] == ["a.png", "a.png", "b.png"]
    first, second, third = (item.result for item in manifest)
    assert (first, third) == ("infer-result/a.png_result.txt", "infer-result/b.png_result.txt")
    assert second.startswith("infer-result/a.png~")


def test_inputs_that_are_none_are_refused():
    places = Places()

    async def story():
        with pytest.raises(Invalid, match="there is no input"):
            await listed(places, "memory:in")
        with pytest.raises(NotFound):
            await listed(places, "memory:in/list.manifest")
        await places.place(parse("memory:in")).write("a.png", b"")
        with pytest.raises(Refused, match=r"memory:in/a\.png is no \.csv file"):
            await listed(places, "memory:in", tables=True)

    asyncio.run(story())
