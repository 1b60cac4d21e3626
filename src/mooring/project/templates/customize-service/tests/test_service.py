"""The package as a server runs it: python -m pytest."""

import json
from pathlib import Path

import pytest

from mooring_serve import ErrorResponse, compat

PROJECT = Path(__file__).resolve().parent.parent
GOOD = {"age_months": 6, "storms": 0, "peak_load_kn": 40, "diameter_mm": 48}
WORN = {"age_months": 110, "storms": 22, "peak_load_kn": 190, "diameter_mm": 24}


@pytest.fixture(scope="module")
def service():
    return compat.load(str(PROJECT), json.loads((PROJECT / "model" / "config.json").read_text(encoding="utf-8")))


def predicted(service, *rows):
    return service.run(0, {"data": {"req_data": list(rows)}}, [])["data"]["resp_data"]


def test_a_new_line_is_kept_and_a_worn_one_replaced(service):
    good, worn = predicted(service, GOOD, WORN)
    assert (good["predict_result"], worn["predict_result"]) == ("keep", "replace")
    assert min(good["probability"], worn["probability"]) > 0.9


def test_the_order_of_the_columns_is_no_matter(service):
    assert predicted(service, dict(reversed(list(WORN.items())))) == predicted(service, WORN)


def test_numbers_may_come_as_text(service):
    assert predicted(service, {name: str(value) for name, value in WORN.items()}) == predicted(service, WORN)


def test_no_rows_give_no_results(service):
    assert predicted(service) == []


def test_a_row_without_a_column_is_a_400(service):
    with pytest.raises(ErrorResponse) as refused:
        predicted(service, {"age_months": 6})
    assert refused.value.status == 400
    assert refused.value.body["erno"] == "MR.0105"
