"""What the JSON report looks like, as JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from mooring.checks.render.json import VERSION
from mooring.checks.report import Status, Verdict
from mooring.checks.wish import Kind
from mooring.contract import Level

_TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_LEVEL = {"enum": [str(level) for level in Level]}
_KIND = {"enum": [str(kind) for kind in Kind]}


def report_schema() -> dict[str, Any]:
    """The schema that every JSON report fits; readers should pass over members that it does not know."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of mooring check",
        "description": "What was looked at, what it was judged by, and what came of every rule.",
        **_object(
            version={"const": VERSION, "description": "rises when a reader of the version before would misread it"},
            tool=_object(name={"const": "mooring"}, version=_TEXT),
            verdict={"enum": [verdict.name.lower() for verdict in Verdict]},
            subject={"$ref": "#/$defs/subject"},
            edition=_said("the edition of the contract it was judged by"),
            wish={"$ref": "#/$defs/wish"},
            counts=_object(**{str(status): _COUNT for status in Status}),
            seconds={"type": "number", "minimum": 0, "description": "how long the check took"},
            remarks={"type": "array", "items": _TEXT, "description": "to be read with the results"},
            rules=_mapping({"$ref": "#/$defs/rule"}, "every rule that was asked, by its id"),
            results={"type": "array", "items": {"$ref": "#/$defs/result"}},
        ),
        "$defs": {"subject": _subject(), "wish": _wish(), "rule": _rule(), "result": _result(), "finding": _finding()},
    }


def _subject() -> dict[str, Any]:
    return _object(
        name=_said("what the caller named it by"),
        kind={"enum": ["engine", "archive", "layout", "registry", "project", "server", "memory"]},
        digest=_said("empty for what is no image"),
        platform=_said("such as linux/amd64; empty for what is no image"),
        size={**_COUNT, "description": "bytes unpacked, 0 where that is not known"},
        compressed_size={**_COUNT, "description": "bytes as a registry stores it, 0 where that is not known"},
        config_source=_said("where its config.json was found; empty if nowhere"),
    )


def _wish() -> dict[str, Any]:
    return _object(
        kind={**_KIND, "description": "the kinds of service it was checked for"},
        rolling_upgrade=_said("whether it must bear an upgrade without interruption", _FLAG),
        static=_said("whether it was looked at without running it", _FLAG),
        patient=_said("whether idle connections were watched for as long as the edition wants them kept", _FLAG),
        samples=_mapping(_TEXT, "the files that were sent, by field"),
        accepted=_mapping(_TEXT, "rules whose findings the caller lives with, and why"),
        fail_on={**_LEVEL, "description": "findings of this level and graver ones break the contract"},
        memory_bytes={**_COUNT, "description": "what the container was allowed to use; 0 for a part of the engine's"},
    )


def _rule() -> dict[str, Any]:
    return _object(
        title=_TEXT,
        why=_said("paragraphs, with an empty line between them"),
        remedy=_TEXT,
        level={**_LEVEL, "description": "what its findings weigh"},
        rolling={
            "enum": [*_LEVEL["enum"], None],
            "description": "what they weigh for an upgrade without interruption, null for the same",
        },
        kind={**_KIND, "description": "the kinds of service it concerns"},
        runs=_said("whether it judges a running container", _FLAG),
        facts={"type": "array", "items": _TEXT, "description": "the facts of the edition it reads"},
    )


def _result() -> dict[str, Any]:
    return _object(
        rule=_said("its id, described in rules"),
        level={**_LEVEL, "description": "what its findings weigh in this check"},
        status={"enum": [str(status) for status in Status]},
        why=_said("why it was skipped, not judged or accepted; else empty"),
        findings={"type": "array", "items": {"$ref": "#/$defs/finding"}},
    )


def _finding() -> dict[str, Any]:
    return _object(
        id=_said("the rule's, or that of one clause of it"),
        level=_LEVEL,
        message=_said("what was seen"),
        expected=_said("what the contract asks for"),
        document=_said("the document that says so"),
        hint=_said("what to do"),
        source=_said("the file, the layer or the part of the image"),
        line={**_COUNT, "description": "from 1; 0 for the whole of the source"},
        column={**_COUNT, "description": "from 1; 0 for the whole of the source"},
        seen=_said("what a config.json says there, where it was mended"),
        read_as=_said("what that was taken for"),
        causes={
            "type": "array",
            "items": _TEXT,
            "description": "the names of the fault; who shares one tells the same",
        },
    )


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "additionalProperties": False, "properties": members}


def _mapping(inner: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": inner, "description": meaning}


def _said(meaning: str, kind: dict[str, Any] = _TEXT) -> dict[str, Any]:
    return {**kind, "description": meaning}
