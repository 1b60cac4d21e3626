"""Tables and reports as JSON, secrets included: for the way to another process, and for a file its owner alone reads.

What is read is held to the dataclasses strictly: every field there, of its type, and no other. Dataclasses grow by
fields with a default, which a text of before may leave out.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from mooring.errors import Invalid
from mooring.gateway import link, table
from mooring.gateway.link import GatewayReport
from mooring.gateway.table import Table

_T = TypeVar("_T")


def table_to_json(whole: Table) -> str:
    """A table as one line of JSON. It holds secrets: whoever has it can call as anyone in it."""
    return _to_json(whole)


def table_from_json(text: str | bytes) -> Table:
    """The table that `table_to_json` wrote; Invalid, with the place, when it is none."""
    return _from_json(Table, text)


def report_to_json(report: GatewayReport) -> str:
    """A gateway's report as one line of JSON."""
    return _to_json(report)


def report_from_json(text: str | bytes) -> GatewayReport:
    """The report that `report_to_json` wrote; Invalid, with the place, when it is none."""
    return _from_json(GatewayReport, text)


def _to_json(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), separators=(",", ":"))


def _from_json(kind: type[_T], text: str | bytes) -> _T:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"not JSON: {error}", hint="send what the other side wrote, unchanged") from None
    read: _T = _read(kind, data, kind.__name__)
    return read


@lru_cache
def _fields(kind: type) -> Mapping[str, tuple[Any, bool]]:
    names = {**vars(table), **vars(link), "Mapping": Mapping}
    hints = get_type_hints(kind, localns=names)
    missing = dataclasses.MISSING
    return {
        one.name: (hints[one.name], one.default is missing and one.default_factory is missing)
        for one in dataclasses.fields(kind)
    }


def _read(kind: Any, data: Any, where: str) -> Any:
    for fits, read in _READERS:
        if fits(kind):
            return read(kind, data, where)
    raise TypeError(f"{where}: no way to read {kind!r} from JSON")


def _read_dataclass(kind: Any, data: Any, where: str) -> Any:
    fields = _fields(kind)
    _expect(isinstance(data, dict), where, "an object", data)
    for name in data:
        if name not in fields:
            raise Invalid(f"{where}.{name}: there is no such field", hint=f"known are {', '.join(fields)}")
    for name, (_, needed) in fields.items():
        if needed and name not in data:
            raise Invalid(f"{where}.{name} is missing")
    return kind(**{name: _read(fields[name][0], value, f"{where}.{name}") for name, value in data.items()})


def _read_mapping(kind: Any, data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), where, "an object", data)
    inner = get_args(kind)[1]
    return {name: _read(inner, value, f"{where}[{name!r}]") for name, value in data.items()}


def _read_tuple(kind: Any, data: Any, where: str) -> Any:
    _expect(isinstance(data, list), where, "an array", data)
    inner = get_args(kind)[0]
    return tuple(_read(inner, value, f"{where}[{index}]") for index, value in enumerate(data))


def _read_optional(kind: Any, data: Any, where: str) -> Any:
    if data is None:
        return None
    (inner,) = (one for one in get_args(kind) if one is not type(None))
    return _read(inner, data, where)


def _read_plain(kind: Any, data: Any, where: str) -> Any:
    if kind is float:
        _expect(isinstance(data, int | float) and not isinstance(data, bool), where, "a number", data)
        return float(data)
    right = isinstance(data, kind) and (kind is bool or not isinstance(data, bool))
    _expect(right, where, {str: "a string", int: "a whole number", bool: "true or false"}[kind], data)
    return data


def _expect(right: bool, where: str, wanted: str, data: Any) -> None:  # noqa: FBT001 - the condition, not a switch
    if not right:
        raise Invalid(f"{where} is {type(data).__name__}, expected {wanted}")


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, str], Any]], ...] = (
    (dataclasses.is_dataclass, _read_dataclass),
    (lambda kind: get_origin(kind) is Mapping, _read_mapping),
    (lambda kind: get_origin(kind) is tuple, _read_tuple),
    (lambda kind: get_origin(kind) in (types.UnionType, Union), _read_optional),
    (lambda kind: kind in (str, int, float, bool), _read_plain),
)
