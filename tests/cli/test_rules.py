"""`mooring rules`: the list, for one kind of service, and with what an edition states."""

import json

from typer.testing import CliRunner

from mooring.checks.rule import catalogue, rule_named
from mooring.cli.app import app
from mooring.contract import edition


def rules(*words):
    done = CliRunner().invoke(app, ["rules", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_list_has_a_line_a_rule():
    head, *lines = rules().splitlines()
    assert head.split() == ["RULE", "LEVEL", "FOR", "RUNS", "WHAT", "IT", "SAYS"]
    assert [line.split()[0] for line in lines] == [rule.id for rule in catalogue()]
    row = next(line for line in lines if line.startswith("RUN-PORT-02"))
    assert row.split(maxsplit=4)[1:4] == ["must", "both", "yes"]
    assert row.endswith(rule_named("RUN-PORT-02").title)


def test_a_kind_of_service_leaves_out_the_rules_of_the_other():
    listed = json.loads(rules("--kind", "real-time", "--format", "json"))
    everything = json.loads(rules("--format", "json"))
    assert {rule["kind"] for rule in listed} <= {"real-time", "both"}
    assert [rule for rule in everything if rule["kind"] != "batch"] == listed
    assert len(everything) == len(catalogue())


def test_an_edition_adds_what_it_states_and_where_it_is_silent():
    lines = [line.strip() for line in rules("--edition", "otc-2022").splitlines()]
    assert "service.bind_address: 0.0.0.0 (modelarts_23_0270)" in lines
    facts = {fact for rule in catalogue() for fact in rule.facts}
    for fact in facts:
        silent = f"{fact.key}: silent" in lines
        assert silent == (fact not in edition("otc-2022"))


def test_an_edition_as_json_has_values_and_sources():
    listed = {rule["id"]: rule for rule in json.loads(rules("--edition", "otc-2024", "--format", "json"))}
    rule = listed["RUN-PORT-02"]
    assert rule["edition"] == "otc-2024"
    assert rule["stated"] == {
        "service.bind_address": {"value": "0.0.0.0", "text": "0.0.0.0", "source": "modelarts_23_0270"}
    }
    assert rule["silent"] == []
    for each in listed.values():
        assert {*each["stated"], *each["silent"]} == set(each["facts"])


def test_an_edition_that_does_not_exist_is_not_found(mooring):
    done = mooring("rules", "--edition", "otc-1999")
    assert done.returncode == 2
    assert "there is no edition 'otc-1999'" in done.stderr
