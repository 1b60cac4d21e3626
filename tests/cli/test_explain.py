"""`mooring explain`: a rule as a person reads about it."""

import re

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


def test_the_beginning_of_several_ids_lists_what_each_says():
    lines = explain("img-boot").splitlines()
    known = [rule for rule in catalogue() if rule.id.startswith("IMG-BOOT-")]
    assert len(known) > 1
    assert [line.split()[:2] for line in lines] == [[rule.id, str(rule.level)] for rule in known]
    assert all(line.endswith(rule.title) for line, rule in zip(lines, known, strict=True))
    assert explain("IMG-BOOT-") == explain("IMG-BOOT")
    assert {line.split("-")[0] for line in explain("cfg").splitlines()} == {"CFG"}


def test_a_rule_that_does_not_exist_is_not_found_and_the_nearest_are_named(mooring):
    done = mooring("explain", "RUN-PORT-22")
    assert done.returncode == 2
    hint = re.fullmatch(
        r"mooring: there is no rule 'RUN-PORT-22'\n  hint: did you mean (.*)\? mooring rules lists them\n", done.stderr
    )
    named = re.split(", | or ", hint[1])
    assert len(named) == 3
    assert "RUN-PORT-02" in named
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["nope-1", "", "-", "-IMG", "x" * 99])
def test_what_is_like_no_rule_does_not_print_them_all(mooring, name):
    done = mooring("explain", "--", name)
    assert done.returncode == 2
    assert done.stderr == f"mooring: there is no rule {name!r}\n  hint: mooring rules lists them\n"
