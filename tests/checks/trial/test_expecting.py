"""What is expected of an image, in the words of the engine room."""

import json
import math

import pytest

from mooring.checks.trial.expecting import Expected
from mooring.contract import ModelConfig, edition


def expectation(health, **wishes):
    config = ModelConfig.parse(json.dumps({"apis": [], "health": health}).encode())
    return Expected(config, edition("otc-2022")).expectation(**wishes)


def test_an_image_that_declares_how_long_it_takes_to_start_is_given_that_time_before_it_is_given_up():
    found = expectation({"initial_delay_seconds": "90", "period_seconds": "10", "failure_threshold": "3"})
    assert (found.delay_seconds, found.wait_seconds) == (90.0, 120.0)
    assert found.settled_seconds < found.wait_seconds


@pytest.mark.parametrize("seconds", [1.0, 600.0])
def test_a_caller_who_says_how_long_to_wait_gets_all_of_it(seconds):
    found = expectation({}, wait_seconds=seconds)
    assert (found.wait_seconds, found.settled_seconds) == (seconds, math.inf)
