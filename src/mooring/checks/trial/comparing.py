"""Two answers to one question: the first place where they are not the same."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mooring.checks.trial.sightings import Repeats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.engine.wire import Reply

# Fields that tell of the call and not of the model; another value each time is what they are for.
OF_THE_CALL = re.compile(
    r"(?:^|[_.-])(?:time|timestamp|date|datetime|created|latency|duration|elapsed|took|ms|millis|seconds|"
    r"uuid|guid|trace|span|nonce|request_?id|req_?id|session_?id|log_?id|call_?id)(?:$|[_.-])",
    re.IGNORECASE,
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def compared(api: str, first: Reply, second: Reply) -> Repeats:
    """The first difference; one that tells of the model goes before one that tells of the call."""
    try:
        places = list(_places(_value(first), _value(second), ""))
    except RecursionError:  # nested deeper than anybody compares
        places = []
    of_the_model = next((place for place in places if not _is_of_the_call(place)), None)
    place = of_the_model if of_the_model is not None else next(iter(places), None)
    if place is None:
        return Repeats(api=api)
    return Repeats(api=api, differing=place or "the answer as a whole", of_the_call=of_the_model is None)


def _value(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return reply.body


def _places(first: Any, second: Any, path: str) -> Iterator[str]:
    """The paths at which they differ, "" for the whole."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        for name in first:
            yield from _places(first[name], second[name], f"{path}.{name}" if path else name)
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for n, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _places(one, other, f"{path}[{n}]")
    elif first != second and not (first != first and second != second):  # noqa: PLR0124 - NaN
        yield path


def _is_of_the_call(place: str) -> bool:
    return bool(OF_THE_CALL.search(CAMEL.sub("_", re.sub(r"\[\d+\]", "", place).rpartition(".")[2])))
