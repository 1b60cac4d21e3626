"""What is not JSON at all is refused with its place, and quickly."""

import time

import pytest

from mooring.contract import ModelConfig
from mooring.errors import Invalid

NONSENSE = [
    (b"", "1:1", "empty"),
    (b"  // nothing\n", "2:1", "empty"),
    (b'{"a": 1 "b": 2}', "1:9", "expected ',' or '}'"),
    (b'{"a" 1}', "1:6", "expected ':'"),
    (b"{a: 1}", "1:2", "expected a name in double quotes"),
    (b'{\n "a": 1,\n response API\n "b": 2}', "3:2", "expected a name in double quotes"),
    (b'{"a": [1, 2}', "1:12", "expected ',' or ']'"),
    (b'{"a": [1, 2', "1:7", "never closed"),
    (b'{"a": "b\n"}', "1:7", "not closed on its line"),
    (b'{"a": 1}}', "1:9", "the document ends before this"),
    (b'{"a": 01}', "1:7", "expected a value"),
    (b'{"a": 1e999}', "1:7", "too large"),
    (b'{"a": ' + b"9" * 5000 + b"}", "1:7", "too large"),
    (b'{"a": .5}', "1:7", "expected a value"),
    (b'{"a": }', "1:7", "expected a value"),
    (b'{,"a": 1}', "1:2", "expected a name"),
    (b'{"a": 1}\x00', "1:9", "the document ends before this"),
    (b'{"a": "\xff"}', "1:8", "neither UTF-8 nor GBK"),
    (b"\xff\xfe{", "1:1", "UTF-16"),
    (b"[" * 100_000, "1:102", "nested deeper"),
    (b'{"a":' * 100_000, "1:506", "nested deeper"),
    (b"7", "1:1", "must be an object"),
    (b'"text"', "1:1", "must be an object"),
    (b'{"apis": 5}', "1:10", "must be a list"),
    (b'{"apis": [{"url": ["/a"]}]}', "1:19", "apis[0].url must be a text"),
    (b'{"apis": [{"request": {"data": 5}}]}', "1:32", "must be a schema"),
    (b'{"apis": [{"request": {"data": {"properties": []}}}]}', "1:47", "must be an object of schemas"),
    (b'{"dependencies": [{"packages": [{"package_version": "1"}]}]}', "1:33", "no package_name"),
    (
        b'{"dependencies": [{"packages": [{"package_name": "a", "package_version": "1", "restraint": "NEWEST"}]}]}',
        "1:92",
        "known are EXACT, ATLEAST, ATMOST",
    ),
    (b'{"metrics": "{broken"}', "1:13", "broken JSON"),
]


@pytest.mark.parametrize(("data", "place", "why"), NONSENSE, ids=[f"{n}-{case[2]}" for n, case in enumerate(NONSENSE)])
def test_nonsense_is_refused_with_its_place(data, place, why):
    started = time.monotonic()
    with pytest.raises(Invalid) as caught:
        ModelConfig.parse(data, source="config.json")
    assert caught.value.message.startswith(f"config.json:{place}: ")
    assert why in caught.value.message
    assert time.monotonic() - started < 2


def test_a_huge_file_is_refused_without_reading_it_through():
    with pytest.raises(Invalid, match="at most"):
        ModelConfig.parse(b" " * 2_000_000)


def test_full_width_quotes_are_explained():
    with pytest.raises(Invalid) as caught:
        ModelConfig.parse("{“model_type”: 1}".encode())
    assert caught.value.hint == '“ is not ": type it with a Latin keyboard'


def parsed(text):
    config = ModelConfig.parse(text.encode())
    return config.extra, {finding.id for finding in config.findings}


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        (r'{"x": "C:\models"}', r"C:\models", "CFG-JSON-06"),
        (r'{"x": "\ud83d\ude42"}', "🙂", None),
        (r'{"x": "a\ud83d"}', "a\ufffd", "CFG-JSON-06"),
        ('{"x": "a\tb"}', "a\tb", "CFG-JSON-07"),
        ('{"x": NaN}', None, "CFG-JSON-05"),
        ('{"x": -Infinity}', None, "CFG-JSON-05"),
        ('{"x": True}', True, "CFG-JSON-05"),
        ('{"x": "// no comment"}', "// no comment", None),
        ('{"x": -0.5e2}', -50.0, None),
        ('{"x": 12345678901234567890}', 12345678901234567890, None),
    ],
)
def test_odd_values_are_read_as_they_are_meant(text, value, rule):
    extra, told = parsed(text)
    assert extra["x"] == value
    assert ({rule} if rule else set()) == {each for each in told if each.startswith("CFG-JSON")}


def test_many_comments_are_one_finding():
    config = ModelConfig.parse(b"{} " + b"// again\n" * 30)
    comments = [finding for finding in config.findings if finding.id == "CFG-JSON-01"]
    assert [finding.message for finding in comments] == ["30 comments in the file; JSON has none"]
