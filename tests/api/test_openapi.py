"""The API is as it describes itself: whatever is sent, it answers as it says, and never with a mistake of its own."""

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode

from mooring.api.app import application

load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(application(None).openapi())
# No database keeps text with NULs; test_refusals sends some.
SCHEMA.config.generation.update(allow_x00=False)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
# The description cannot say all rules (weights add up to 100, names are free): what fits it may be refused.
# Who may see what is walked through in test_isolation.
NOT_HERE = ("positive_data_acceptance", "ignored_auth", "object_level_authorization")
EXCLUDED = [check for check in CHECKS.get_all() if check.__name__ in NOT_HERE]
EXAMPLES = 30
# What takes nothing cannot be asked wrongly.
ASKED = [(GenerationMode.POSITIVE, one) for one in OPERATIONS] + [
    (GenerationMode.NEGATIVE, one) for one in OPERATIONS if {"parameters", "requestBody"} & set(one.definition.raw)
]


@pytest.fixture(scope="module")
def tokens(place):
    """What opens a path: the user's token, or below /gateway a gateway's."""
    gateway = place.me.post(f"{place.mine}/keys", json={"kind": "gateway"}).json()["secret"]
    return lambda path: gateway if path.startswith("/gateway/") else place.token


@pytest.fixture(scope="module")
def stock(place):
    """Ids of things that there are, by what paths call them."""
    model_id = place.model(model_name="stock")
    service_id = place.deploy(model_id)
    place.until(service_id, "running")
    return {"model_id": model_id, "service_id": service_id}


def aimed(case, place, stock, *, mode, at_stock):
    """The call, at the project of the caller; at something in it that is there, unless that would delete it."""
    if "{project_id}" in case.operation.path:
        case.path_parameters["project_id"] = place.project
    if at_stock and case.method != "DELETE":
        case.path_parameters.update({name: there for name, there in stock.items() if name in case.path_parameters})
    if at_stock and mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
        possible(case.body, stock["model_id"])
    # It would never end.
    for one in ("follow", "after"):
        if case.query and one in case.query:
            del case.query[one]
    return case


def possible(body, model_id):
    """As much of a wish as no description can say: the model is there, the weights add up, the image has a name."""
    if isinstance(body.get("config"), list):
        del body["config"][1:]
        for entry in filter(lambda one: isinstance(one, dict), body["config"]):
            entry.update(model_id=model_id, specification="local.cpu.half", instance_count=1, weight=100, envs={})
            entry.pop("deploy_timeout_in_seconds", None)
    if "source_location" in body:
        body.update(source_location="memory:ready")
        body.pop("initial_config", None)


@pytest.mark.parametrize(("mode", "operation"), ASKED, ids=lambda one: getattr(one, "label", None) or one.value)
def test_it_answers_as_it_says_whatever_is_sent(place, stock, tokens, operation, mode):
    @hypothesis.seed(4)
    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), at_stock=strategies.booleans())
    def ask(case, at_stock):
        token = tokens(operation.path)
        aimed(case, place, stock, mode=mode, at_stock=at_stock).call_and_validate(
            base_url=place.url, headers={"X-Auth-Token": token}, excluded_checks=EXCLUDED
        )

    ask()
