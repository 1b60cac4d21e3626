"""`mooring explain`: a rule as a person reads about it."""

import pytest
from typer.testing import CliRunner

from mooring.checks.rule import catalogue
from mooring.cli.app import app
from mooring.contract import editions


def explain(name):
    done = CliRunner().invoke(app, ["explain", name], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_a_rule_is_explained_from_title_to_editions():
    lines = explain("RUN-PORT-02").splitlines()
    assert lines[0].startswith("RUN-PORT-02: It listens on all interfaces")
    assert lines[1] == "  must be mended; for real-time and batch services; judged on a running container"
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        "Why",
        "Remedy",
        "Good",
        "Bad",
        "Editions",
    ]
    rows = [line.split() for line in lines[lines.index("Editions") + 1 :]]
    assert [row[0] for row in rows] == list(editions())
    assert rows[0] == ["otc-2022", "service.bind_address", "0.0.0.0", "(modelarts_23_0270)"]


def test_a_rule_that_weighs_more_for_a_rolling_upgrade_says_so():
    line = explain("RUN-TERM-01").splitlines()[1]
    assert "should be mended (must be mended for an upgrade without interruption);" in line


def test_an_edition_that_says_nothing_of_a_fact_is_called_silent():
    lines = explain("CFG-ALG-01").splitlines()
    rows = [tuple(line.split()[:3]) for line in lines]
    assert ("otc-2022", "config.algorithm_max_length", "36") in rows
    rows = [tuple(line.split()) for line in explain("RUN-TERM-01").splitlines()]
    assert ("otc-2022", "stop.linger", "silent") in rows
    assert ("otc-2024", "stop.linger", "60", "s", "(modelarts_23_0219)") in rows


@pytest.mark.parametrize("rule", catalogue(), ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule):
    output = explain(rule.id.lower())
    assert output.startswith(f"{rule.id}: {rule.title}\n")
    assert all(
        line in output for example in (*rule.good, *rule.bad) for line in example.shown.split() if line.isascii()
    )
    assert "\x1b" not in output


def test_a_rule_that_does_not_exist_is_not_found_and_the_nearest_is_named(mooring):
    done = mooring("explain", "RUN-PORT-2")
    assert done.returncode == 2
    assert done.stderr == "mooring: there is no rule 'RUN-PORT-2'\n  hint: did you mean 'RUN-PORT-02'?\n"
    assert done.stdout == ""
