"""`mooring editions`: the list, and one edition's facts with their sources."""

import json

from typer.testing import CliRunner

from mooring.cli.app import app


def editions(*words):
    done = CliRunner().invoke(app, ["editions", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_list_names_every_edition_and_the_default():
    output = editions()
    assert output.splitlines()[0] == "otc-2022        2022-03-17  Open Telekom Cloud, March 2022 (default)"
    assert output.count("(default)") == 1
    assert len(output.splitlines()) == 10
    assert output.endswith("otc-2022 is used unless another is named.\n")


def test_one_edition_is_a_table_of_facts_with_sources():
    rows = [line.split() for line in editions("otc-2024").splitlines()]
    assert ["stop.linger", "60", "s", "modelarts_23_0219"] in rows
    assert ["image.max_size", "30", "GB", "modelarts_23_0219"] in rows
    assert not any(row[:1] == ["health.required"] for row in rows)


def test_an_edition_as_json_has_values_in_bytes_and_seconds():
    document = json.loads(editions("huawei-2024", "--format", "json"))
    assert document["extends"] == "huawei-2023"
    assert document["facts"]["image.max_size"]["value"] == 50 * 1024**3
    assert document["facts"]["http.keep_alive"] == {
        "value": 200,
        "text": "200 s",
        "kind": "duration in seconds",
        "meaning": "how long an idle connection is kept open by the server",
        "source": "modelarts_23_0219",
        "edition": "huawei-2023",
    }


def test_the_list_as_json():
    listed = json.loads(editions("--format", "json"))
    names = [each["name"] for each in listed]
    assert [each["name"] for each in listed if each["default"]] == ["otc-2022"]
    assert names[0] == "otc-2022"
    assert len(names) == 8
