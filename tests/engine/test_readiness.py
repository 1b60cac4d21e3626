import pytest

from mooring.engine import Answer, Expectation
from mooring.engine.probe import Outcome


@pytest.mark.parametrize(
    ("status", "required", "optional"), [(200, True, True), (404, False, True), (503, False, False)]
)
def test_a_server_without_a_health_url_is_ready_when_it_answers_unless_it_says_that_it_is_not(
    status, required, optional
):
    answer = Answer(Outcome.ANSWERED, status=status)
    assert Expectation(health_required=True).met_by(answer) is required
    assert Expectation(health_required=False).met_by(answer) is optional


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.ANSWERED])
def test_what_is_no_answer_is_never_ready(outcome):
    assert not Expectation(health_required=False).met_by(Answer(outcome))
