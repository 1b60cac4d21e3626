"""How the bytes of a config.json become text: UTF-8, and the encodings that Windows editors leave behind."""

from __future__ import annotations

import codecs
import json

from mooring.contract.node import Place
from mooring.contract.notes import INFO, SHOULD, Notes
from mooring.errors import Invalid

# A real config.json has a few KB; the longest one with 200 properties has 40. What is larger is another file.
MAX_BYTES = 1024 * 1024
START = Place(1, 1)


def decoded(data: bytes, notes: Notes) -> str:
    """The text of the file, without byte order mark. Invalid if it is too large or in no encoding we know."""
    if len(data) > MAX_BYTES:
        raise Invalid(
            f"{notes.source}: more than {MAX_BYTES} bytes, which a config.json has at most",
            hint="is this the right file?",
        )
    encoding = json.detect_encoding(data)
    if encoding.startswith(("utf-16", "utf-32")):
        return _wide(data, encoding, notes)
    if data.startswith(codecs.BOM_UTF8):
        notes.add(
            "CFG-ENC-02", INFO, START, "the file begins with a byte order mark", hint="save it as UTF-8 without BOM"
        )
        data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _chinese(data, error.start, notes)


def _wide(data: bytes, encoding: str, notes: Notes) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise notes.refusal(START, f"neither UTF-8 nor {encoding.upper()}", hint="save it as UTF-8") from error
    notes.add(
        "CFG-ENC-03",
        SHOULD,
        START,
        f"the file is {encoding.upper()}, not UTF-8",
        hint="save it as UTF-8",
        seen=encoding.upper(),
    )
    return text.removeprefix("\ufeff")


def _chinese(data: bytes, first: int, notes: Notes) -> str:
    # GB 18030 is a superset of GBK, which Chinese Windows editors write.
    before = data[:first].decode("utf-8")
    place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise notes.refusal(place, "a byte that is neither UTF-8 nor GBK", hint="save the file as UTF-8") from error
    notes.add("CFG-ENC-01", SHOULD, place, "the file is GBK, not UTF-8", hint="save it as UTF-8", seen="GBK")
    return text
