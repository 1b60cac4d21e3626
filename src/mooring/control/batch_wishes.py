"""What callers wish of a batch service beside its instances: input, output, and how one becomes requests."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from mooring.batch.manifest import SUFFIX
from mooring.batch.mapping import Mapping as MappingRule
from mooring.errors import Invalid, Refused
from mooring.storage import Kind, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.storage import Address

FILE, CSV = MAPPINGS = ("file", "csv")
MISSING, IO = "storage-missing", "batch-io"
# What `src_type` is when the input is one manifest.
MANIFEST = "manifestfile"
WHOLE_PERCENT = 100
MOST_ITEM_SECONDS = 86_400
MOST_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True)
class BatchWish:
    """The fields of CreateService's `config[0]` that make a batch service, and three of ours.

    `field` is what the model calls the one file of a request (mapping type file). With an `error_threshold`, in percent
    of all inputs, the job is given up as soon as more than so many have failed; `item_timeout_in_seconds` is for one
    request, and `concurrency` how many an instance gets at a time.
    """

    src_path: str
    dest_path: str
    req_uri: str
    mapping_type: str
    src_type: str = ""
    mapping_rule: Mapping[str, Any] | None = None
    field: str = ""
    error_threshold: float | None = None
    item_timeout_in_seconds: float | None = None
    concurrency: int | None = None

    def row(self) -> dict[str, Any]:
        """The wish as a job keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> BatchWish:
        """The wish that a job keeps."""
        return cls(**{one.name: row[one.name] for one in fields(cls) if one.name in row})

    @property
    def source(self) -> Address:
        """Where the input lies: a folder, or a manifest."""
        return parse(self.src_path)

    @property
    def output(self) -> Address:
        """The folder of the output."""
        return parse(self.dest_path)

    @property
    def is_manifest(self) -> bool:
        """Whether the input is one manifest."""
        return self.src_type.lower() == MANIFEST or self.src_path.endswith(SUFFIX)


def batch_wish(told: Mapping[str, Any], config: Mapping[str, Any] | None) -> BatchWish:
    """The wish in an entry of a configuration, for a model with that config.json (its clean form).

    Raises:
        Invalid: `storage-missing`, `storage-url`, `storage-bucket`, `storage-check` for input and output;
            `batch-io` for a model that does not say what it takes and gives; `parameter-invalid`, `parameter-required`.
    """
    for name in ("src_path", "dest_path"):
        if not str(told.get(name) or "").strip():
            raise Invalid(f"{name} is missing", hint="a batch service reads one folder and fills another", case=MISSING)
    for name in ("req_uri", "mapping_type"):
        if not told.get(name):
            raise Invalid(f"{name} is missing", case="parameter-required")
    mapping = str(told["mapping_type"]).lower()
    if mapping not in MAPPINGS:
        raise _wrong("mapping_type", told["mapping_type"], "file or csv")
    data = _request_data(config, str(told["req_uri"]))
    wish = BatchWish(
        src_type=_src_type(told),
        src_path=str(told["src_path"]),
        dest_path=str(told["dest_path"]),
        req_uri=str(told["req_uri"]),
        mapping_type=mapping,
        mapping_rule=_rule(told.get("mapping_rule")) if mapping == CSV else None,
        field=_field(data) if mapping == FILE else "",
        error_threshold=_number(told, "error_threshold", WHOLE_PERCENT),
        item_timeout_in_seconds=_number(told, "item_timeout_in_seconds", MOST_ITEM_SECONDS, above_zero=True),
        concurrency=_whole(told, "concurrency"),
    )
    _require_places(wish)
    return wish


def _wrong(name: str, value: object, expected: str) -> Invalid:
    return Invalid(f"{name} is {str(value)[:100]!r}; it must be {expected}", case="parameter-invalid")


def _src_type(told: Mapping[str, Any]) -> str:
    said = str(told.get("src_type") or "")
    if said and said.lower() != MANIFEST:
        raise _wrong("src_type", said, "ManifestFile, or left out")
    if said and not str(told["src_path"]).endswith(SUFFIX):
        raise _wrong("src_path", told["src_path"], f"a {SUFFIX} file, as src_type says")
    return said


def _rule(rule: object) -> Mapping[str, Any]:
    if rule is None:
        raise Invalid("mapping_rule is missing", hint="mapping type csv needs one", case="parameter-required")
    try:
        MappingRule(rule)
    except Invalid as error:
        raise Invalid(error.message, hint=error.hint, case="parameter-invalid") from None
    return rule  # type: ignore[return-value]  # a rule that could be read is an object


def _request_data(config: Mapping[str, Any] | None, uri: str) -> Mapping[str, Any]:
    """The schema of what the API at that path takes."""
    apis = [one for one in (config or {}).get("apis") or [] if isinstance(one, dict)]
    if not apis:
        raise Invalid(
            "the model does not say what it takes and gives", hint="a batch service needs apis in config.json", case=IO
        )
    found = next((one for one in apis if one.get("url") == uri), None)
    if found is None:
        known = ", ".join(sorted({str(one.get("url")) for one in apis}))
        raise _wrong("req_uri", uri, f"one of the model's: {known}")
    for side in ("request", "response"):
        said = found.get(side) or {}
        if not said.get("Content-type") or not isinstance(said.get("data"), dict):
            raise Invalid(
                f"the model's {side} at {uri} has no Content-type or no data",
                hint=f"a batch service needs both of apis[].{side} in config.json",
                case=IO,
            )
    data: Mapping[str, Any] = found["request"]["data"]
    return data


def _field(data: Mapping[str, Any]) -> str:
    """The one property of a request, which is a file."""
    properties = data.get("properties") or {}
    files = [name for name, one in properties.items() if isinstance(one, dict) and one.get("type") == "file"]
    if len(files) != 1 or len(properties) != 1:
        raise Invalid(
            f"mapping_type is file, and the request has {len(properties)} properties, {len(files)} of them files",
            hint="the model must take one, of type file; rows of tables are for mapping type csv",
            case="parameter-invalid",
        )
    return str(files[0])


def _number(told: Mapping[str, Any], name: str, most: float, *, above_zero: bool = False) -> float | None:
    value = told.get(name)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 <= value <= most
        or (above_zero and not value)
    ):
        raise _wrong(name, value, f"a number {'above' if above_zero else 'from'} 0, at most {most}")
    return float(value)


def _whole(told: Mapping[str, Any], name: str) -> int | None:
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_AT_ONCE:
        raise _wrong(name, value, f"a whole number from 1 to {MOST_AT_ONCE}")
    return value


def _require_places(wish: BatchWish) -> None:
    source, output = _address("src_path", wish.src_path), _address("dest_path", wish.dest_path)
    for name, one in (("src_path", source), ("dest_path", output)):
        if one.kind is Kind.LINK:
            raise Invalid(
                f"{name} is a signed link to one file", hint="links can stand in a manifest", case="storage-url"
            )
    if output.name.endswith(SUFFIX):
        raise _wrong("dest_path", output, "a folder")
    if not wish.is_manifest and source.overlaps(output):
        raise Refused(
            f"{source} and {output} overlap: results would become inputs",
            hint="choose another dest_path",
            case="parameter-invalid",
        )


def _address(name: str, text: str) -> Address:
    try:
        return parse(text)
    except Invalid as error:
        case = "storage-bucket" if "bucket" in error.message else "storage-url"
        raise Invalid(f"{name}: {error.message}", hint=error.hint, case=case) from None
