"""What a caller sees: `python -m pytest`, in this project's folder."""

import json
from pathlib import Path

import pytest
from handler import Ships
from table import COLUMNS

PROJECT = Path(__file__).resolve().parent.parent
QUIET = {
    "ship_type": "ferry",
    "length_m": 80.0,
    "cargo_tonnes": 500,
    "arrival_hour": 10,
    "wind_m_s": 3.0,
    "pilot_booked": True,
}
STORM = {
    "ship_type": "tanker",
    "length_m": 390.0,
    "cargo_tonnes": 160_000,
    "arrival_hour": 23,
    "wind_m_s": 25.0,
    "pilot_booked": False,
}


@pytest.fixture(scope="module")
def ask():
    """Return a function that sends rows and returns the rows answered."""
    ships = Ships()
    ships.setup(PROJECT / "model")
    return lambda *rows: ships.predict(data={"req_data": list(rows)})["data"]["resp_data"]


def test_each_row_has_its_answer_in_order(ask):
    answers = ask(QUIET, STORM, QUIET)
    assert [answer["predict_result"] for answer in answers] == ["on time", "late", "on time"]
    assert all(0.9 < answer["probability"] <= 1 for answer in answers)


def test_a_row_is_answered_the_same_alone_and_among_others(ask):
    assert ask(STORM) == ask(QUIET, STORM)[1:]


def test_no_rows_have_no_answers(ask):
    assert ask() == []


def test_the_order_of_a_rows_columns_makes_no_difference(ask):
    assert ask(dict(reversed(STORM.items()))) == ask(STORM)


@pytest.mark.parametrize(
    "milder", [{"wind_m_s": 5.0}, {"arrival_hour": 12}, {"pilot_booked": True}, {"cargo_tonnes": 2_000}]
)
def test_what_makes_ships_late_makes_lateness_likelier(ask, milder):
    def chance_of_late(row):
        answer = ask(row)[0]
        return answer["probability"] if answer["predict_result"] == "late" else 1 - answer["probability"]

    middling = STORM | {"ship_type": "bulk carrier", "cargo_tonnes": 60_000, "wind_m_s": 15.0}
    assert chance_of_late(middling | milder) < chance_of_late(middling)


def test_answers_can_be_written_as_json(ask):
    assert json.loads(json.dumps(ask(STORM))) == ask(STORM)


def test_the_sample_request_is_answered(ask):
    rows = json.loads((PROJECT / "samples" / "request.json").read_text())["data"]["req_data"]
    assert [answer["predict_result"] for answer in ask(*rows)] == ["late", "on time"]


def test_the_readme_shows_the_answer_that_is_given(ask):
    rows = json.loads((PROJECT / "samples" / "request.json").read_text())["data"]["req_data"]
    shown = next(line for line in (PROJECT / "README.md").read_text().splitlines() if line.startswith("{"))
    assert json.loads(shown) == {"data": {"resp_data": ask(*rows)}}


def test_config_json_and_the_csv_sample_have_the_models_columns_in_the_same_order():
    config = json.loads((PROJECT / "config.json").read_text())
    rows = config["apis"][0]["request"]["data"]["properties"]["data"]["properties"]["req_data"]["items"]
    assert list(rows["properties"]) == rows["required"] == list(COLUMNS)
    lines = (PROJECT / "samples" / "ships.csv").read_text().splitlines()
    assert all(line.count(",") == len(COLUMNS) - 1 for line in lines)
    assert all(line.split(",")[0] in rows["properties"]["ship_type"]["enum"] for line in lines)
