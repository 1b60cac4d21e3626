"""What a model is asked in a trial: valid questions of each api, those at the edges, and bad ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from mooring.checks.trial.files import File, sample
from mooring.checks.trial.question import FORM, Question, kind_of, question
from mooring.checks.trial.sightings import Purpose
from mooring.checks.trial.spoiling import spoiled
from mooring.contract import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mooring.contract import Api

T = TypeVar("T")
MOST_BOUNDARIES = 24
MOST_SPOILED = 48


def samples_of(api: Api, paths: Mapping[str, str]) -> dict[str, File]:
    """The caller's files for fields that the api has. NotFound for one that is not there."""
    fields = api.request.data.get("properties") or {}
    return {name: sample(path) for name, path in paths.items() if name in fields}


def first_question(api: Api, paths: Mapping[str, str]) -> Question:
    """The one most likely to be answered: with the caller's files if there are any, else made up."""
    samples = samples_of(api, paths)
    purpose = Purpose.SAMPLE if samples else Purpose.EXAMPLE
    sent = ", ".join(f"{name}=@{file.name}" for name, file in samples.items())
    return question(api, purpose, schema.example(api.request.data), samples, sent=sent)


def further_questions(api: Api, paths: Mapping[str, str]) -> tuple[Question, ...]:
    """Valid ones beside the first, each once: the example with made-up files, the values at the schema's edges."""
    first, samples = first_question(api, paths), samples_of(api, paths)
    values = schema.boundaries(api.request.data)
    made = [question(api, Purpose.EXAMPLE, schema.example(api.request.data), {})]
    # A form cannot carry what is no object.
    sendable = [value for value in values if isinstance(value, dict) or kind_of(api) != FORM]
    made += [question(api, Purpose.BOUNDARY, value, samples) for value in evenly(sendable, MOST_BOUNDARIES)]
    return tuple(_once(made, but=first))


def bad_questions(api: Api, paths: Mapping[str, str]) -> tuple[Question, ...]:
    """Those it should refuse; a part of them, always the same, where there are very many."""
    return tuple(evenly(list(spoiled(api, samples_of(api, paths))), MOST_SPOILED))


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most so many, from the first to the last at equal distances."""
    count = min(len(items), most)
    return [items[n * (len(items) - 1) // max(count - 1, 1)] for n in range(count)]


def _once(asked: list[Question], *, but: Question) -> Iterator[Question]:
    seen = {(but.request.url, but.request.body)}
    for one in asked:
        if (one.request.url, one.request.body) not in seen:
            seen.add((one.request.url, one.request.body))
            yield one
