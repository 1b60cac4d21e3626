"""What went wrong, as the v1 API tells it: an HTTP status and a code of the documents' table (modelarts_03_0095).

The documents use some numbers twice, and some for several things: a client goes by code and status together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.errors import Conflict, Denied, Invalid, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.errors import MooringError


@dataclass(frozen=True)
class Problem:
    """An HTTP status and an error code, `ModelArts.3002`."""

    status: int
    code: str


def _problem(status: int, number: str) -> Problem:
    return Problem(status, f"ModelArts.{number}")


# By the case that an error names; the class below decides for those that are not here.
CASES: Mapping[str, Problem] = {
    # Who calls.
    "no-auth": _problem(401, "0205"),
    "token-empty": _problem(401, "0201"),
    "token-expired": _problem(401, "0202"),
    "token-invalid": _problem(401, "0203"),
    "signature-malformed": _problem(401, "0206"),
    "signature-wrong": _problem(401, "0206"),
    "signature-skewed": _problem(401, "0208"),
    "auth-malformed": _problem(401, "0206"),
    "key-unknown": _problem(401, "0206"),
    "key-expired": _problem(401, "0202"),
    "app-code-invalid": _problem(401, "0203"),
    "app-code-mismatch": _problem(403, "0108"),
    "password-wrong": _problem(401, "0203"),
    "project-mismatch": _problem(403, "0210"),
    "project-invalid": _problem(400, "0210"),
    "not-allowed": _problem(403, "0108"),
    "host-invalid": _problem(400, "0210"),
    "project-unknown": _problem(404, "0210"),
    "method-unknown": _problem(400, "0104"),
    # Models.
    "model-unknown": _problem(404, "3507"),
    "model-not-found": _problem(404, "3001"),
    "model-exists": _problem(409, "3002"),
    "model-in-use": _problem(500, "3009"),
    "config-invalid": _problem(400, "3015"),
    "config-unsupported": _problem(400, "3016"),
    "source-location": _problem(400, "3017"),
    "label-invalid": _problem(400, "3023"),
    "template-unknown": _problem(404, "3021"),
    "parameter-required": _problem(400, "3036"),
    "model-parameter": _problem(400, "3037"),
    "model-importing": _problem(500, "3048"),
    # Services.
    "service-unknown": _problem(404, "3502"),
    "service-exists": _problem(409, "3503"),
    "model-unpublished": _problem(400, "3515"),
    "models-duplicate": _problem(400, "3516"),
    "service-busy": _problem(400, "3519"),
    "services-quota": _problem(400, "3520"),
    "storage-missing": _problem(400, "3551"),
    "storage-denied": _problem(400, "3567"),
    "storage-url": _problem(400, "3572"),
    "storage-bucket": _problem(400, "3573"),
    "storage-check": _problem(400, "3574"),
    "batch-io": _problem(400, "3514"),
    "task-unknown": _problem(400, "3822"),
    "running-quota": _problem(400, "3521"),
    "instances-quota": _problem(400, "3522"),
    "model-kind": _problem(400, "3589"),
    "health-invalid": _problem(400, "3592"),
    "flavor-unknown": _problem(400, "4507"),
    "schedule": _problem(400, "3562"),
    "resources": _problem(400, "3952"),
    "workspace-unknown": _problem(400, "0102"),
    "parameter-invalid": _problem(400, "0104"),
}

# Cases that mean two things, told apart by the class: a key that does not sign, a key that is not in the list.
ELSEWHERE: Mapping[tuple[type[MooringError], str], Problem] = {(NotFound, "key-unknown"): _problem(404, "0101")}
# What is left, by who can put it right.
CLASSES: tuple[tuple[type[MooringError], Problem], ...] = (
    (Invalid, _problem(400, "0101")),
    (NotFound, _problem(404, "0101")),
    (Conflict, _problem(409, "0101")),
    (Denied, _problem(401, "0203")),
    (Unavailable, _problem(503, "0010")),
    (Refused, _problem(400, "0104")),
)
OUR_BUG = _problem(500, "0010")
BODY_TOO_LARGE = Problem(413, "APIG.0201")
BODY_TOO_SLOW = _problem(408, "4205")
NO_SUCH_API = "APIG.0101"
BAD_REQUEST = "ModelArts.0101"
REQUIRED = "ModelArts.3036"


def problem_of(error: MooringError) -> Problem:
    """How the API tells an error."""
    found = ELSEWHERE.get((type(error), error.case)) or CASES.get(error.case)
    if found:
        return found
    return next((problem for kind, problem in CLASSES if isinstance(error, kind)), OUR_BUG)
