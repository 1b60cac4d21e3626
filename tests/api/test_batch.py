"""Batch services as clients of the v1 API create, read and restart them, and how they are refused."""

import uuid

import pytest
from api.place import FLAVOR
from control.works import RULE, config, listed, results_in


def body(place, folder, *, kind="file", image="memory:digest", model=None, **more):
    entry = {
        "model_id": model or place.model(image=image, config=config(kind)),
        "specification": FLAVOR,
        "instance_count": 1,
        "src_path": f"file://{folder}/in/",
        "dest_path": f"file://{folder}/out/",
        "req_uri": "/predict",
        "mapping_type": kind,
    }
    if kind == "csv":
        entry["mapping_rule"] = RULE
    kept = {key: value for key, value in {**entry, **more}.items() if value is not None}
    return {"service_name": f"b{uuid.uuid4().hex[:8]}", "infer_type": "batch", "config": [kept]}


def create(place, told):
    return place.me.post(f"{place.mine}/services", json=told)


def created(place, told):
    answer = create(place, told)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"service_id", "resource_ids"}
    return answer.json()["service_id"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(5):
        (tmp_path / "in" / f"{number}.txt").write_text(f"input {number}")
    return tmp_path


def test_a_batch_service_deploys_runs_and_finishes_by_itself(both, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(5):
        (tmp_path / "in" / f"{number}.txt").write_text("bad" if number == 3 else "good")
    service_id = created(both, body(both, tmp_path, image="memory:digest_picky"))
    path = f"{both.mine}/services/{service_id}"
    seen = both.until(service_id, "finished")
    progress = seen["batch_progress"]
    assert (progress["total"], progress["done"], progress["failed"], seen["progress"]) == (5, 4, 1, 100)
    assert seen["finished_time"] >= seen["start_time"] > 1_700_000_000_000
    assert (seen["access_address"], seen["infer_type"]) == ("", "batch")
    [entry] = seen["config"]
    assert "weight" not in entry
    assert (entry["mapping_type"], entry["req_uri"]) == ("file", "/predict")
    assert entry["finished_time"] == seen["finished_time"]
    events = [one["event_info"] for one in both.me.get(f"{path}/events").json()["events"]]
    assert events[0] == "service has been executed, 1 of 5 inputs failed"
    [failed] = both.me.get(f"{path}/batch/items", params={"state": "failed"}).json()["items"]
    assert failed["source"].endswith("/3.txt")
    assert "400" in failed["error_message"]
    (tmp_path / "in" / "3.txt").write_text("good")
    assert both.me.post(f"{path}/batch/retry").json() == {}
    seen = both.until_true(lambda: both.me.get(path).json(), lambda one: one["batch_progress"]["done"] == 5)
    both.until(service_id, "finished")
    assert both.me.post(f"{path}/batch/retry").status_code == 409
    assert len(listed(results_in(tmp_path / "out"))) == 5


def test_a_list_shows_batch_services_and_how_far_they_are(place, folder):
    service_id = created(place, body(place, folder))
    place.until(service_id, "finished")
    query = {"infer_type": "batch", "service_id": service_id}
    [one] = place.me.get(f"{place.mine}/services", params=query).json()["services"]
    assert one["batch_progress"]["done"] == 5
    assert one["start_time"] <= one["finished_time"]
    assert place.me.get(f"{place.mine}/services/specifications", params={"infer_type": "batch"}).json()["total_count"]
    monitor = place.me.get(f"{place.mine}/services/{service_id}/monitor").json()
    assert monitor["monitors"][0]["invocation_times"] == 5


def test_nobody_calls_a_batch_service(place, folder):
    service_id = created(place, body(place, folder, image="memory:digest_slow-0.2", concurrency=1))
    place.until(service_id, "running")
    answer = place.me.post(f"/v1/infers/{service_id}/predict", json={})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "ModelArts.4203")
    place.until(service_id, "finished")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"src_path": None}, "ModelArts.3551"),
        ({"dest_path": ""}, "ModelArts.3551"),
        ({"src_path": "file:///nowhere/at/all/"}, "ModelArts.3551"),
        ({"src_path": "elsewhere"}, "ModelArts.3572"),
        ({"src_path": "ftp://host/x"}, "ModelArts.3572"),
        ({"dest_path": "obs:///key"}, "ModelArts.3573"),
        ({"dest_path": "https://bucket.host/out/"}, "ModelArts.3574"),
        ({"src_path": "file:///"}, "ModelArts.3567"),
        ({"req_uri": None}, "ModelArts.3036"),
        ({"req_uri": "/other"}, "ModelArts.0104"),
        ({"mapping_type": "xml"}, "ModelArts.0104"),
        ({"mapping_type": "csv"}, "ModelArts.3036"),
        ({"mapping_type": "csv", "mapping_rule": {}}, "ModelArts.0104"),
        ({"src_type": "Folder"}, "ModelArts.0104"),
        ({"src_type": "ManifestFile"}, "ModelArts.0104"),
        ({"error_threshold": 101}, "ModelArts.0104"),
        ({"concurrency": 0}, "ModelArts.0104"),
        ({"instance_count": 0}, "ModelArts.0104"),
        ({"instance_count": 6}, "ModelArts.3522"),
        ({"specification": "no.such"}, "ModelArts.4507"),
        ({"model_id": "none"}, "ModelArts.3507"),
    ],
)
def test_what_a_batch_service_cannot_be_is_refused_with_the_documents_code(place, folder, more, code):
    answer = create(place, body(place, folder, **more))
    assert answer.json()["error_code"] == code, answer.text
    assert answer.status_code in (400, 404)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"config": None}, "ModelArts.3514"),
        ({"config": {"apis": [{"url": "/predict", "request": {}, "response": {}}]}}, "ModelArts.3514"),
        ({"config": config("csv")}, "ModelArts.0104"),
        ({"status": "failed", "config": config()}, "ModelArts.3515"),
        ({"request": {"install_type": ["real-time"]}, "config": config()}, "ModelArts.3589"),
    ],
)
def test_a_model_that_cannot_be_a_batch_service_is_refused(place, folder, fields, code):
    answer = create(place, body(place, folder, model=place.model(**fields)))
    assert (answer.status_code, answer.json()["error_code"]) == (400, code), answer.text


def test_there_is_one_model_in_a_batch_service_and_one_output_that_is_empty(place, folder):
    two = body(place, folder)
    two["config"] *= 2
    assert create(place, two).json()["error_code"] == "ModelArts.0104"
    (folder / "out").mkdir()
    (folder / "out" / "old.txt").write_text("mine")
    answer = create(place, body(place, folder))
    assert answer.status_code == 409
    assert "is not empty" in answer.json()["error_msg"]
    assert (folder / "out" / "old.txt").read_text() == "mine"


def test_a_real_time_service_has_no_inputs(place):
    service_id = place.deploy(place.model())
    for answer in (
        place.me.get(f"{place.mine}/services/{service_id}/batch/items"),
        place.me.get(f"{place.mine}/services/{service_id}/batch/items", params={"state": "none"}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (400, "ModelArts.3822")
    assert place.me.get(f"{place.mine}/services/none/batch/items").status_code == 404


def test_no_project_sees_the_inputs_of_another(place, folder):
    service_id = created(place, body(place, folder))
    stranger, theirs = place.other()
    assert stranger.get(f"{theirs}/services/{service_id}/batch/items").status_code == 404
    assert stranger.post(f"{theirs}/services/{service_id}/batch/retry").status_code == 404
    place.until(service_id, "finished")
