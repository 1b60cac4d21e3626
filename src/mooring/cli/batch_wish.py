"""From what a person typed to what a batch service is told: addresses, an api, and how inputs become requests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring.batch.manifest import SUFFIX
from mooring.batch.mapping import Mapping, rule_for
from mooring.contract import ModelConfig
from mooring.contract.regular_file import read_regular
from mooring.errors import Invalid
from mooring.storage import folder_address, parse

if TYPE_CHECKING:
    from mooring.contract import Api

FILE, CSV = MAPPINGS = ("file", "csv")
MOST_RULE_BYTES = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Way:
    """How inputs become requests to one api of a model: each file, or each row of a table, by `rule`."""

    api: Api
    mapping: str
    rule: dict[str, Any] | None = None

    @property
    def field(self) -> str:
        """What the model calls the file of a request; "" for rows."""
        return self.api.file_fields[0] if self.mapping == FILE else ""

    def row(self) -> dict[str, Any]:
        """The fields of CreateService's `config[0]` that say so."""
        told = {"req_uri": self.api.url, "mapping_type": self.mapping}
        return told | ({"mapping_rule": self.rule} if self.mapping == CSV else {})


def input_address(text: str) -> str:
    """Where the input lies, as the API takes it. Invalid for a file of this machine that is no manifest."""
    address = _address(text, "--input")
    if address.startswith("file:") and not address.endswith((SUFFIX, "/")) and Path(parse(address).key).is_file():
        raise Invalid(
            f"{text} is a file, and the input of a batch service is a folder or a list of files",
            hint=f"name the folder it is in, or a {SUFFIX} file that lists the inputs",
        )
    return address


def output_address(text: str) -> str:
    """The folder for the output, as the API takes it."""
    address = _address(text, "--output")
    return address if address.endswith("/") else f"{address}/"


def _address(text: str, option: str) -> str:
    """An address as it was typed; a path of this machine is made whole, and a folder ends with a slash."""
    is_path = bool(text.strip()) and "://" not in text and not text.lower().startswith("file:")
    try:
        if not is_path:
            parse(text)
            return text
        path = Path(text).expanduser()
        # What `..` leads to is looked up; other links stay what they are.
        path = path.resolve() if ".." in path.parts else path.absolute()
        return str(folder_address(path, text=f"{text}/" if path.is_dir() else text))
    except Invalid as error:
        raise Invalid(f"{option}: {error.message}", hint=error.hint) from None


def read_rule(file: Path) -> dict[str, Any]:
    """The mapping rule in a file. Invalid, naming the file, for what is none."""
    hint = "mooring batch rule MODEL writes one"
    try:
        data = read_regular(file, at_most=MOST_RULE_BYTES, hint=hint)
    except OSError as error:
        raise Invalid(f"cannot read {file}: {error.strerror}") from error
    try:
        rule: Any = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file} is not JSON: {error}", hint=hint) from error
    try:
        Mapping(rule)
    except Invalid as error:
        raise Invalid(f"{file}: {error.message}", hint=error.hint) from None
    return dict(rule)


def config_of(model: dict[str, Any]) -> ModelConfig:
    """The config.json of a model, as the platform has it."""
    return ModelConfig.parse((model.get("config") or "{}").encode(), source=f"config.json of {model['model_name']}")


def way_of(model: dict[str, Any], *, url: str = "", mapping: str = "", rule: dict[str, Any] | None = None) -> Way:
    """The one way in which inputs become requests to a model; what was asked for, where there are several.

    Raises:
        Invalid: there is none, or more than one; the hint says which options tell them apart.
    """
    if mapping and mapping not in MAPPINGS:
        raise Invalid(f"--mapping {mapping!r} is none", hint="file, each file a request, or csv, each row of a table")
    if rule is not None and mapping == FILE:
        raise Invalid("--rule is for rows of tables, and --mapping file sends files", hint="leave one of them out")
    apis = _apis(model, url)
    found = [way for api in apis for way in _ways(api, rule) if mapping in ("", way.mapping)]
    if len(found) == 1:
        return found[0]
    if found:
        ways = " or ".join(f"--api {way.api.url} --mapping {way.mapping}" for way in found)
        raise Invalid("inputs can become requests in more than one way", hint=f"choose one: {ways}")
    raise _none(apis, mapping)


def _apis(model: dict[str, Any], url: str) -> list[Api]:
    """The apis that take a body at that url, "" for all."""
    takers = [api for api in config_of(model).apis if api.method == "POST" and api.protocol.startswith("http")]
    found = [api for api in takers if url in ("", api.url)]
    name = f"{model['model_name']}:{model['model_version']}"
    if not takers:
        raise Invalid(f"{name} declares no api that takes a POST", hint="a batch service needs apis in its config.json")
    if not found:
        known = ", ".join(sorted({api.url for api in takers}))
        raise Invalid(f"{name} has no api {url} that takes a POST", hint=f"it has {known}")
    return found


def _ways(api: Api, rule: dict[str, Any] | None) -> list[Way]:
    if rule is not None:
        return [Way(api=api, mapping=CSV, rule=rule)]
    if api.file_fields:
        return [Way(api=api, mapping=FILE)] if len(api.request.data["properties"]) == 1 else []
    try:
        return [Way(api=api, mapping=CSV, rule=rule_for(api.request.data))]
    except Invalid:
        return []


def _none(apis: list[Api], mapping: str) -> Invalid:
    """Why there is no way, by the first api."""
    api = apis[0]
    files, fields = api.file_fields, len(api.request.data.get("properties", {}))
    said = f"a request to {api.url} has {fields} fields, {len(files)} of them files"
    if mapping == CSV or (not files and not mapping):
        try:
            rule_for(api.request.data)
        except Invalid as error:
            return Invalid(f"{api.url}: {error.message}", hint=error.hint)
    if mapping == CSV or not files:
        return Invalid(f"{said}; a file mapping needs one field, which is a file", hint="--mapping csv sends rows")
    return Invalid(
        f"{said}; a batch service sends one file, or values from the row of a table",
        hint="change the request in config.json",
    )
