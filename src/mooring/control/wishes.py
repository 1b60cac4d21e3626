"""What callers wish of a service, checked as far as it can be without looking at anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn

from mooring.contract.names import did_you_mean
from mooring.control.flavors import CUSTOM, Flavor
from mooring.errors import Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DESCRIPTION_CHARACTERS = 100
# Create and update each leave out one of these (CreateService, UpdateService): neither takes any of them here.
FORBIDDEN_IN_DESCRIPTION = "!<>=&+\"'"
WHOLE = 100
UNIT_MS = {"DAYS": 86_400_000, "HOURS": 3_600_000, "MINUTES": 60_000}
MB = 1024 * 1024
# More than any number here could sensibly be.
LARGEST = 2**31
LEAST_CPU_CORES = 0.01
ENV_NAME = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]{0,255}")
ENV_BYTES = 64 * 1024
POLICIES = ("ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP")


@dataclass(frozen=True, kw_only=True)
class ServiceEntry:
    """One model version of a service, as CreateService has it (`config[]`); the names are the API's.

    `custom_spec` has `cpu` in cores and `memory` in MB. What we keep for the caller and do nothing with is in `extra`.
    """

    model_id: str
    specification: str
    instance_count: int = 1
    weight: int | None = None
    custom_spec: Mapping[str, Any] | None = None
    envs: Mapping[str, str] = field(default_factory=dict)
    deploy_timeout_in_seconds: int | None = None
    additional_properties: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ServiceWish:
    """A service to be, as CreateService has it. `request` are its other fields, kept and told back as they came."""

    service_name: str
    infer_type: str
    config: tuple[ServiceEntry, ...]
    description: str = ""
    workspace_id: str = "0"
    schedule: tuple[Mapping[str, Any], ...] = ()
    additional_properties: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ServiceChange:
    """What is to be different about a service, as UpdateService has it; None leaves a thing as it is."""

    status: str | None = None
    config: tuple[ServiceEntry, ...] | None = None
    description: str | None = None
    schedule: tuple[Mapping[str, Any], ...] | None = None
    additional_properties: Mapping[str, Any] | None = None
    request: Mapping[str, Any] = field(default_factory=dict)


def row_of(entry: ServiceEntry, *, model_name: str, model_version: str) -> dict[str, Any]:
    """An entry as a revision keeps it and the API shows it."""
    kept = {one.name: getattr(entry, one.name) for one in fields(entry) if one.name != "extra"}
    told = {key: value for key, value in kept.items() if value not in (None, {})}
    return {**entry.extra, "envs": {}, **told, "model_name": model_name, "model_version": model_version}


def require_name(name: str) -> None:
    """Invalid (case `service-name`) unless it is 1 to 64 letters, digits, dashes and underscores."""
    if not NAME.fullmatch(name):
        raise Invalid(
            f"service_name is {name[:100]!r}; it must be 1 to 64 letters, digits, '-' and '_'", case="service-name"
        )


def require_description(text: str) -> None:
    """Invalid (case `description`) when it is too long or has characters that the API leaves out."""
    strange = sorted({character for character in text if character in FORBIDDEN_IN_DESCRIPTION})
    if len(text) > DESCRIPTION_CHARACTERS or strange:
        what = f"has {' '.join(strange)}" if strange else f"has {len(text)} characters"
        raise Invalid(
            f"description {what}; it may have {DESCRIPTION_CHARACTERS} characters, none of {FORBIDDEN_IN_DESCRIPTION}",
            case="description",
        )


def weighed(config: tuple[ServiceEntry, ...]) -> tuple[int, ...]:
    """The weights, which add up to 100; one model without a weight has it all.

    Invalid: `config-empty`, `models-duplicate`, `weights-sum`.
    """
    if not config:
        raise Invalid("config is empty; it must name at least one model", case="config-empty")
    ids = [entry.model_id for entry in config]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise Invalid(f"model {twice[0]} is in config more than once", case="models-duplicate")
    weights = [entry.weight for entry in config]
    if weights == [None]:
        return (WHOLE,)
    if any(weight is None or weight < 0 for weight in weights) or sum(filter(None, weights)) != WHOLE:
        told = ", ".join("none" if weight is None else str(weight) for weight in weights)
        raise Invalid(f"the weights are {told}; they must be whole numbers that add up to {WHOLE}", case="weights-sum")
    return tuple(weight or 0 for weight in weights)


def flavor_of(entry: ServiceEntry | Mapping[str, Any], flavors: tuple[Flavor, ...]) -> Flavor:
    """The size of an entry's instances, from the list or from its custom_spec.

    Invalid: `flavor-unknown`, with the nearest, or `custom-spec`.
    """
    row = entry if not isinstance(entry, ServiceEntry) else row_of(entry, model_name="", model_version="")
    name = row["specification"]
    if name != CUSTOM:
        for flavor in flavors:
            if flavor.name == name:
                return flavor
        known = [CUSTOM, *(flavor.name for flavor in flavors)]
        raise Invalid(f"there is no specification {name!r}", hint=did_you_mean(name, known), case="flavor-unknown")
    spec = row.get("custom_spec") or {}
    cpu, memory = (_number(spec.get(name)) or 0.0 for name in ("cpu", "memory"))
    if cpu < LEAST_CPU_CORES or memory < 1:
        raise Invalid(
            f"custom_spec is {dict(spec)}; it needs cpu (cores, at least {LEAST_CPU_CORES}) and memory (MB)",
            hint='for example {"cpu": 2, "memory": 4096}',
            case="custom-spec",
        )
    if wrong := [key for key in spec if key not in ("cpu", "memory") and spec[key]]:
        raise Refused(f"custom_spec asks for {wrong[0]}; this platform has processors and memory", case="custom-spec")
    return Flavor(name=CUSTOM, cpu_cores=round(cpu, 2), memory_bytes=int(memory) * MB)


def _number(value: object) -> float | None:
    """The value when it is a number, and none of Python's truth values or of IEEE's oddities."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST else None


def require_envs(envs: Mapping[str, str]) -> None:
    """Invalid (case `envs`) for names and values that no process can have as its variables."""
    for name, value in envs.items():
        if not ENV_NAME.fullmatch(name) or "\0" in value:
            raise Invalid(f"envs has {name[:100]!r}, which is no name or has no value of a variable", case="envs")
    if sum(len(name.encode()) + len(value.encode()) for name, value in envs.items()) > ENV_BYTES:
        raise Invalid(f"envs is larger than {ENV_BYTES} bytes", case="envs")


def due_after_ms(schedule: Iterable[Mapping[str, Any]]) -> int | None:
    """How long after its start a schedule stops a service; None when it does not. Invalid (case `schedule`)."""
    found = None
    for one in schedule:
        kind, unit, duration = one.get("type"), one.get("time_unit"), one.get("duration", 0)
        is_duration = isinstance(duration, int) and 1 <= duration <= LARGEST
        if str(kind).lower() != "stop" or unit not in UNIT_MS or not is_duration:
            raise Invalid(
                f"schedule has {dict(one)}",
                hint='for example [{"type": "stop", "time_unit": "HOURS", "duration": 1}], in DAYS, HOURS or MINUTES',
                case="schedule",
            )
        found = min(found or UNIT_MS[unit] * duration, UNIT_MS[unit] * duration)
    return found


def require_rolling(properties: Mapping[str, Any]) -> None:
    """Invalid (case `rolling`) for numbers of a rolling update that cannot be."""
    for name in ("max_surge", "max_unavailable", "termination_grace_period_seconds"):
        if properties.get(name) is None:
            continue
        value = _number(properties[name])
        if value is None or value < 0:
            raise Invalid(f"{name} is {properties[name]!r}; it must be a number from 0", case="rolling")


def unsupported(what: str, hint: str) -> NoReturn:
    """Refused (case `unsupported`): it cannot be had here, and silence about it would be a lie."""
    raise Refused(f"{what} is not to be had on this platform", hint=hint, case="unsupported")
