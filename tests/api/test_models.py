"""Models as clients of the v1 API send and read them; the types are those that clients were seen to need."""

import json
import uuid

import pytest

CONFIG = {
    "model_type": "Image",
    "model_algorithm": "object_detection",
    "health": {"url": "/health", "protocol": "http", "initial_delay_seconds": "30", "timeout_seconds": "5"},
    "metrics": {"f1": 0.5, "recall": 0.25, "precision": 1, "accuracy": 1},
    "apis": [
        {
            "url": "/count",
            "method": "post",
            "protocol": "http",
            "request": {
                "Content-type": "multipart/form-data",
                "data": {"type": "object", "properties": {"photo": {"type": "file"}}},
            },
            "response": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"items": {"type": "integer"}}},
            },
        }
    ],
}
TEXTS = (
    "model_id",
    "model_name",
    "model_version",
    "model_type",
    "model_status",
    "description",
    "runtime",
    "model_algorithm",
    "source_location",
    "source_type",
    "source_job_id",
    "source_job_version",
    "execution_code",
    "workspace_id",
    "model_source",
    "schema_doc",
    "image_address",
    "owner",
    "project",
    "tenant",
    "source_copy",
    "config",
    "apis",
    "model_metrics",
)


def wish(**fields):
    return {
        "model_name": f"m{uuid.uuid4().hex[:8]}",
        "model_version": "1.0.0",
        "model_type": "Image",
        "source_location": "memory:ready",
        **fields,
    }


def created(place, **fields):
    answer = place.me.post(f"{place.mine}/models", json=wish(**fields))
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["model_id"]
    return place.me.get(f"{place.mine}/models/{answer.json()['model_id']}").json()


def test_the_fields_that_clients_read_have_the_types_that_they_need(place):
    seen = created(place, initial_config=json.dumps(CONFIG), description="counts items")
    assert all(isinstance(seen[field], str) for field in TEXTS), seen
    assert (type(seen["model_size"]), type(seen["create_at"])) == (int, int)
    assert {type(seen[field]) for field in ("tunable", "market_flag", "publishable_flag")} == {bool}
    assert seen["install_type"] == ["real-time", "batch"]
    assert seen["specification"] == {}
    assert "model_docs" not in seen
    assert isinstance(json.loads(seen["model_metrics"]), dict)
    [api] = json.loads(seen["apis"])
    assert (api["url"], api["input_params"]["properties"]) == ("/count", {"photo": {"type": "file"}})
    assert [one["param_name"] for one in seen["input_params"]] == ["photo"]
    assert json.loads(seen["output_params"][0]["param_desc"])["type"] == "integer"
    assert seen["model_algorithm"] == "object_detection"
    assert {type(value) for value in seen["health"].values()} == {str}
    assert seen["health"]["initial_delay_seconds"] == "30"
    assert seen["labels_map"] == {"labels": []}


@pytest.mark.parametrize("text", [json.dumps(CONFIG), json.dumps(CONFIG, indent=3) + "\n"])
def test_the_config_is_told_again_letter_for_letter(both, text):
    assert created(both, initial_config=text)["config"] == text


def test_an_initial_config_may_be_an_object_and_a_copy_true_or_a_text(place):
    seen = created(place, initial_config=CONFIG, source_copy=False, install_type=["realtime"])
    assert json.loads(seen["config"]) == CONFIG
    assert (seen["source_copy"], seen["install_type"]) == ("false", ["real-time"])
    assert created(place, source_copy="TRUE", apis=json.dumps([]))["source_copy"] == "true"


def test_what_a_client_says_is_told_again(place):
    said = {
        "source_job_id": "j-1",
        "source_job_version": "2",
        "execution_code": "/b/c.py",
        "runtime": "python3.6",
        "model_algorithm": "image_classification",
        "model_metrics": '{"f1": 0.5}',
        "workspace_id": "w-1",
        "model_docs": [{"doc_name": "Guide", "doc_url": "https://example.org/guide"}],
        "dependencies": [{"installer": "pip", "packages": [{"package_name": "numpy"}]}],
    }
    seen = created(place, **said, unknown=1)
    assert "unknown" not in seen
    for field in said.keys() - {"dependencies"}:
        assert seen[field] == said[field]
    assert seen["dependencies"][0]["packages"][0]["package_name"] == "numpy"


def test_enums_are_understood_in_any_case(place):
    assert created(place, model_type="image")["model_type"] == "Image"
    name = created(place)["model_name"]
    query = {"model_name": name, "model_type": "IMAGE", "order": "DESC", "sort_by": "Create_At"}
    assert place.me.get(f"{place.mine}/models", params=query).json()["count"] == 1


def test_a_name_and_version_are_there_once(both):
    seen = created(both)
    fields = {name: seen[name] for name in ("model_name", "model_version")}
    answer = both.me.post(f"{both.mine}/models", json=wish(**fields))
    assert (answer.status_code, answer.json()["error_code"]) == (409, "ModelArts.3002")
    assert both.me.post(f"{both.mine}/models", json=wish(**{**fields, "model_version": "1.0.1"})).status_code == 200


def test_pages_and_filters(both):
    for minor in range(5):
        both.model(model_name="paged", model_version=f"1.{minor}.0", description=f"number {minor}")
    both.model(model_name="other", model_type="PyTorch", status="failed")

    def found(**query):
        page = both.me.get(f"{both.mine}/models", params=query).json()
        assert [key for key, value in page.items() if isinstance(value, list)] == ["models"]
        assert page["count"] == len(page["models"])
        return [model["model_version"] for model in page["models"]]

    assert len(found()) == 6
    assert found(model_name="pag", sort_by="model_version", order="asc", limit=2, offset=3) == ["1.3.0", "1.4.0"]
    assert found(model_name="pag", offset=5) == []
    assert found(model_name="pag", exact_match="true") == []
    assert found(description="number 3") == ["1.3.0"]
    assert found(model_status="FAILED") == found(not_model_type="Image") == ["1.0.0"]
    assert len(found(model_type="Image")) == 5


def test_a_deleted_model_is_gone_and_one_in_use_stays(both):
    first = both.model(model_name="cascaded", model_version="1.0.0")
    second = both.model(model_name="cascaded", model_version="2.0.0")
    both.deploy(first)
    told = both.me.delete(f"{both.mine}/models/{first}").json()
    assert told["delete_success_list"] == []
    assert [(one["model_id"], one["error_code"]) for one in told["delete_failed_list"]] == [(first, "ModelArts.3009")]
    told = both.me.delete(f"{both.mine}/models/{first}", params={"cascade": "true"}).json()
    assert told["delete_success_list"] == [second]
    answer = both.me.get(f"{both.mine}/models/{second}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ModelArts.3001")
    assert both.me.delete(f"{both.mine}/models/{second}").status_code == 404


def test_a_model_tells_its_story_and_a_report_that_is_not_there_is_a_404(place):
    seen = created(place)
    told = place.me.get(f"{place.mine}/models/{seen['model_id']}/events", params={"order": "asc"}).json()
    assert told["events"][0]["event_info"] == "Start model import."
    answer = place.me.get(f"{place.mine}/models/{place.model()}/report")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ModelArts.0101")


def test_the_engines_are_listed_and_not_taken_for_a_model(place):
    told = place.me.get(f"{place.mine}/models/ai-engine-runtimes", params={"limit": "10", "offset": "0"}).json()
    assert [one["ai_engine"] for one in told["engine_runtimes"]] == ["Custom"]
    assert (told["count"], told["total_count"]) == (1, 1)
    past = place.me.get(f"{place.mine}/models/ai-engine-runtimes", params={"offset": "1"}).json()
    assert (past["engine_runtimes"], past["total_count"]) == ([], 1)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"model_version": "01.0.0"}, "ModelArts.3037"),
        ({"model_name": "a b"}, "ModelArts.3037"),
        ({"initial_config": "{"}, "ModelArts.3015"),
        ({"source_location": "obs://bucket/model"}, "ModelArts.3017"),
        ({"source_location": None}, "ModelArts.3036"),
        ({"model_type": "Nothing"}, "ModelArts.3037"),
        ({"source_copy": "maybe"}, "ModelArts.0101"),
    ],
)
def test_a_wish_that_breaks_a_rule_is_refused_with_its_code(place, wrong, code):
    answer = place.me.post(f"{place.mine}/models", json=wish(**wrong))
    assert (answer.status_code, answer.json()["error_code"]) == (400, code), answer.text
