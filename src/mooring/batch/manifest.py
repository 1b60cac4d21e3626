"""Manifests: the list of inputs as it comes in, and the list of results as an edition has it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mooring.contract.node import described, shortened
from mooring.contract.vocabulary import (
    BATCH_MANIFEST_FIELDS,
    BATCH_RESULT_LOCATION,
    BATCH_RESULT_MANIFEST,
    BATCH_RESULT_MANIFEST_PART,
)
from mooring.errors import Invalid
from mooring.storage import Address, Kind, parse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mooring.batch.item import Outcome
    from mooring.contract.edition import Edition

SUFFIX = ".manifest"
_LINE_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_SUCCESSFUL, _FAILED = "SUCCESSFUL", "FAILED"
# The newest that any edition states, for those that are silent (inference-modelarts-0041).
_FIELDS = ("source", "result", "inference-loc", "error_message")
_LOCATION = "obs://{bucket}/{key}"
_MANIFEST = "infer-result-{task_id}.manifest"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Some two hundred thousand lines; the contract says only that there are parts when there are many files.
PART_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One line of an input manifest: its number from 1, the source as it was written, and the address that it is."""

    line: int
    text: str
    address: Address


class ManifestReader:
    """Reads an input manifest as its bytes come: JSON Lines, each an object with a `source` that is a file.

    Names of fields may have blanks around them, as in the documents' own sample; other fields are not looked at. Lines
    may end with CRLF, be blank, and begin, the first, with a byte order mark. A source that is named twice is two
    items, each with a result: the list is a wish, and not ours to shorten. `slash` is as in `storage.parse`. Whatever
    else is wrong is Invalid, naming the line, before anything was sent to a model.

    Facts: batch.md section 5 (inference-modelarts-0040, -0041, modelarts_23_0066).
    """

    def __init__(self, name: str, *, slash: Literal["bucket", "path"] = "bucket") -> None:
        self._name = name
        self._slash: Literal["bucket", "path"] = slash
        self._rest = b""
        self._line = 0

    def feed(self, data: bytes) -> Iterator[Source]:
        """The sources in the lines that are whole now; exhaust it before the next call."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from self._read(line)
        if len(self._rest) > _LINE_BYTES:
            self._line += 1
            raise self._wrong(f"is longer than {_LINE_BYTES // 1024} KiB")

    def end(self) -> Iterator[Source]:
        """The source in a last line that does not end."""
        yield from self._read(self._rest)
        self._rest = b""

    def _read(self, data: bytes) -> Iterator[Source]:
        self._line += 1
        if self._line == 1:
            data = data.removeprefix(_BOM)
        if not data.strip():
            return
        if len(data) > _LINE_BYTES:
            raise self._wrong(f"is longer than {_LINE_BYTES // 1024} KiB")
        try:
            entry = json.loads(data)
        except (ValueError, RecursionError):
            raise self._wrong('is no JSON object, such as {"source":"obs://bucket/key"}') from None
        if not isinstance(entry, dict):
            raise self._wrong(f"is {described(entry)}, and no JSON object")
        fields = {name.strip(): value for name, value in entry.items()} | entry
        if not isinstance(fields.get("source"), str):
            found = f"has a source that is {described(fields['source'])}" if "source" in fields else "has no source"
            raise self._wrong(f"{found}, and no text")
        yield Source(self._line, fields["source"], self._address(fields["source"]))

    def _address(self, text: str) -> Address:
        try:
            address = parse(text, slash=self._slash)
        except Invalid as error:
            raise self._wrong(f"has no usable source: {error.message}", hint=error.hint) from None
        if address.is_folder:
            raise self._wrong(f"names the folder {shortened(str(address), 200)}", hint="name the files in it instead")
        return address

    def _wrong(self, what: str, hint: str = "") -> Invalid:
        return Invalid(f"{self._name}, line {self._line} {what}", hint=hint)


async def read_manifest(
    name: str, chunks: AsyncIterator[bytes], *, slash: Literal["bucket", "path"] = "bucket"
) -> AsyncIterator[Source]:
    """The sources of a manifest as its bytes come; `ManifestReader` says how it is read. Invalid if there are none."""
    reader = ManifestReader(name, slash=slash)
    empty = True
    async for data in chunks:
        for source in reader.feed(data):
            empty = False
            yield source
    for source in reader.end():
        empty = False
        yield source
    if empty:
        raise Invalid(f"{name} names no input", hint='write a line for each: {"source":"obs://bucket/key"}')


@dataclass(frozen=True)
class ManifestForm:
    """How one edition lists results: the files' names, the fields of a line, and how a place is written."""

    fields: tuple[str, ...]
    location: str
    first: str
    """Name of the only or first file; `{index}` counts files where there is no other name for further ones."""
    further: str

    @classmethod
    def of(cls, edition: Edition, task_id: str) -> ManifestForm:
        """The edition's form for one job; where the edition is silent, the newest one that any states."""
        first = edition.get(BATCH_RESULT_MANIFEST, _MANIFEST)
        further = edition.get(BATCH_RESULT_MANIFEST_PART, first if "{index}" in first else "")
        return cls(
            edition.get(BATCH_MANIFEST_FIELDS, _FIELDS),
            edition.get(BATCH_RESULT_LOCATION, _LOCATION),
            first.replace("{task_id}", task_id),
            (further or first.replace(SUFFIX, "_{part}" + SUFFIX)).replace("{task_id}", task_id),
        )

    def name(self, part: int) -> str:
        """The name of a file, part 0 the first."""
        pattern = self.further if part else self.first
        return _filled(pattern, {"index": str(part), "part": str(part)})

    def line(self, outcome: Outcome, output: Address) -> bytes:
        """An outcome as a line. What signs a link is left out of its source: the list is for others to read.

        A failed item has no location, and where the edition has no field for errors, its source is all that is told.
        """
        source = outcome.item.source
        told: dict[str, str] = {
            "source": source.partition("?")[0] if source.startswith(("http://", "https://")) else source,
            "result": _SUCCESSFUL if outcome.ok else _FAILED,
        }
        if outcome.ok:
            told["inference-loc"] = self._located(output / outcome.item.result)
        else:
            told["error_message"] = outcome.error
        kept = {name: told[name] for name in self.fields if name in told}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"

    def _located(self, address: Address) -> str:
        """`obs_path`, which the documents do not explain, is the protocol of the output without its last slash."""
        if address.kind is not Kind.BUCKET:
            return str(address)
        scheme = address.scheme if address.scheme == "s3" else "obs"
        path = "" if address.scheme == "/" else f"{scheme}:/"
        return _filled(self.location, {"obs_path": path, "bucket": address.bucket, "key": address.key})


def _filled(pattern: str, values: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), pattern)


class ManifestParts:
    """Cuts a list of results into files: a new one begins where the next line would make one too large."""

    def __init__(self, form: ManifestForm, *, part_bytes: int = PART_BYTES) -> None:
        self._form = form
        self._limit = part_bytes
        self._part = self._size = 0

    @property
    def name(self) -> str:
        """The file that the next line belongs to."""
        return self._form.name(self._part)

    def begins(self, line: bytes) -> bool:
        """Whether a new file begins with this line, whose name is then `name`."""
        new = self._size > 0 and self._size + len(line) > self._limit
        self._part, self._size = (self._part + 1, 0) if new else (self._part, self._size)
        self._size += len(line)
        return new


@dataclass(frozen=True)
class ResultLine:
    """One line of a list of results, of whatever edition; `location` and `error` are "" where it has none."""

    source: str
    ok: bool
    location: str
    error: str


def read_result_line(line: bytes) -> ResultLine:
    """Read back what `ManifestForm.line` wrote; without a `result`, a location says that there is one.

    Invalid for what is no such line.
    """
    try:
        entry: Any = json.loads(line)
        fields = {name.strip(): value for name, value in entry.items()}
        source, location = fields["source"], fields.get("inference-loc", "")
    except (ValueError, KeyError, AttributeError):
        raise Invalid(f"this is no line of a list of results: {shortened(line.decode('utf-8', 'replace'))}") from None
    ok = fields["result"] == _SUCCESSFUL if "result" in fields else bool(location)
    return ResultLine(source, ok, location, fields.get("error_message", ""))
