"""Services as clients of the v1 API send, read and wait for them; the types are those that clients need."""

import uuid

import pytest
from api.place import FLAVOR

TEXTS = (
    "service_id",
    "service_name",
    "description",
    "infer_type",
    "workspace_id",
    "owner",
    "project",
    "tenant",
    "status",
    "access_address",
    "debug_url",
)
NUMBERS = (
    "invocation_times",
    "failed_times",
    "shared_count",
    "publish_at",
    "update_time",
    "operation_time",
    "transition_at",
)
FLAGS = ("is_shared", "is_free", "is_opened_sample_collection")


def name():
    return f"s{uuid.uuid4().hex[:8]}"


def create(place, config, **fields):
    body = {"service_name": name(), "infer_type": "real-time", "config": config, **fields}
    return place.me.post(f"{place.mine}/services", json=body)


def shown(place, answer):
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"service_id", "resource_ids"}
    return place.me.get(f"{place.mine}/services/{answer.json()['service_id']}").json()


def test_a_service_is_deployed_called_stopped_started_and_deleted(both):
    service_id = both.deploy(both.model(), description="counts")
    seen = both.me.get(f"{both.mine}/services/{service_id}").json()
    assert seen["status"] in ("deploying", "running")
    running = both.until(service_id, "running")
    assert running["access_address"] == f"{both.url}/v1/infers/{service_id}"
    assert both.me.post(f"{running['access_address']}/predict", json={}).status_code == 200
    for status in ("stopped", "running"):
        answer = both.me.put(f"{both.mine}/services/{service_id}", json={"status": status, "config": []})
        assert (answer.status_code, answer.json()) == (200, {})
        both.until(service_id, status)
    assert both.me.delete(f"{both.mine}/services/{service_id}").json() == {}
    gone = both.until(service_id, "gone")
    assert gone["error_code"] == "ModelArts.3502"
    assert both.me.get(f"{both.mine}/services/{service_id}").status_code == 404


def test_the_fields_that_clients_read_have_the_types_that_they_need(place):
    model_id = place.model(model_name="typed", model_version="1.2.3")
    service_id = place.deploy(model_id, schedule=[{"type": "stop", "time_unit": "HOURS", "duration": 6}])
    seen = place.until(service_id, "running")
    assert all(isinstance(seen[field], str) for field in TEXTS)
    assert all(type(seen[field]) is int for field in NUMBERS)
    assert all(type(seen[field]) is bool for field in FLAGS)
    assert seen["publish_at"] > 1_700_000_000_000
    assert seen["schedule"] == [{"type": "stop", "time_unit": "HOURS", "duration": 6}]
    assert type(seen["due_time"]) is int
    assert isinstance(seen["additional_properties"], dict)
    assert "error_msg" not in seen
    assert "progress" not in seen
    [entry] = seen["config"]
    assert entry == {
        "model_id": model_id,
        "model_name": "typed",
        "model_version": "1.2.3",
        "weight": 100,
        "specification": FLAVOR,
        "envs": {},
        "instance_count": 1,
        "additional_properties": {},
        "source_type": "",
        "status": "ready",
        "scaling": False,
        "support_debug": False,
    }


def test_a_service_that_cannot_start_says_why_and_has_no_other_status_on_the_way(place):
    entry = {"model_id": place.model(image="memory:exits"), "specification": FLAVOR, "deploy_timeout_in_seconds": 1}
    answer = create(place, [entry])
    seen = place.until(answer.json()["service_id"], "failed")
    assert seen["error_msg"]
    assert seen["config"][0]["status"] == "notReady"


@pytest.mark.parametrize(
    ("entry", "beside"),
    [({"weight": "100"}, {}), ({"weight": 100}, {}), ({}, {}), ({}, {"weight": 100}), ({}, {"weight": "100"})],
)
def test_a_weight_is_a_number_a_text_beside_the_config_or_absent_and_told_as_a_number(place, entry, beside):
    seen = shown(place, create(place, [{"model_id": place.model(), "specification": FLAVOR, **entry}], **beside))
    assert seen["config"][0]["weight"] == 100


def test_weights_as_texts_split_the_traffic(place):
    halves = [{"model_id": place.model(), "specification": FLAVOR, "weight": part} for part in ("70", "30")]
    assert [one["weight"] for one in shown(place, create(place, halves))["config"]] == [70, 30]
    answer = create(place, [{**half, "weight": "40"} for half in halves])
    assert (answer.status_code, answer.json()["error_code"]) == (400, "ModelArts.0101")
    answer = create(place, [halves[0], halves[0]])
    assert answer.json()["error_code"] == "ModelArts.3516"


def test_what_a_client_says_and_this_platform_has_no_use_for_is_told_again(place):
    entry = {
        "model_id": place.model(),
        "specification": "custom",
        "custom_spec": {"cpu": 0.5, "memory": 512},
        "envs": {"LEVEL": "info"},
        "cluster_id": "c-1",
        "additional_properties": {"max_surge": 1, "termination_grace_period_seconds": 90},
        "unknown": 1,
    }
    notification = {"smn_notification": {"topic_urn": "urn:x", "events": [1, 3]}}
    beside = {
        "pool_name": "pool-1",
        "vpc_id": "v",
        "subnet_network_id": "n",
        "security_group_id": "g",
        "cluster_id": "c-9",
        "load_balancer_policy": "round_robin",
        "workspace_id": 0,
        "additional_properties": notification,
        "unknown": {"a": 1},
        "deploy_timeout_seconds": 300,
    }
    seen = shown(place, create(place, [entry], **beside))
    for field in ("pool_name", "vpc_id", "subnet_network_id", "security_group_id", "cluster_id"):
        assert seen[field] == beside[field]
    assert (seen["load_balancer_policy"], seen["workspace_id"]) == ("ROUND_ROBIN", "0")
    assert seen["additional_properties"] == notification
    assert "unknown" not in seen
    [told] = seen["config"]
    assert "unknown" not in told
    assert told["custom_spec"] == {"cpu": 0.5, "memory": 512}
    assert (told["envs"], told["cluster_id"], told["deploy_timeout_in_seconds"]) == ({"LEVEL": "info"}, "c-1", 300)
    assert told["additional_properties"] == entry["additional_properties"]
    found = place.me.get(f"{place.mine}/services", params={"cluster_id": "c-9"}).json()
    assert [one["service_id"] for one in found["services"]] == [seen["service_id"]]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_put_and_patch_change_the_same_things(place, method):
    service_id = place.deploy(place.model())
    place.until(service_id, "running")
    path = f"{place.mine}/services/{service_id}"
    body = {"description": "new", "schedule": [{"type": "STOP", "time_unit": "days", "duration": "2"}]}
    assert place.me.request(method, path, json=body).json() == {}
    seen = place.me.get(path).json()
    assert seen["description"] == "new"
    assert seen["schedule"] == [{"type": "stop", "time_unit": "DAYS", "duration": 2}]
    config = [{"model_id": place.model(model_name=f"second-{method}"), "specification": FLAVOR, "weight": "100"}]
    assert place.me.request(method, path, json={"config": config, "description": "newer"}).status_code == 200
    seen = place.until(service_id, "running")
    assert (seen["config"][0]["model_name"], seen["description"]) == (f"second-{method}", "newer")
    logs = place.me.get(f"{path}/logs").json()
    assert [one["result"] for one in logs["logs"]] == ["SUCCESS", "SUCCESS"]
    assert logs["logs"][0]["config"][0]["model_name"] == f"second-{method}"
    assert (logs["service_id"], logs["logs"][0]["extend_config"]) == (service_id, [])
    later = place.me.get(f"{path}/logs", params={"update_time": logs["logs"][0]["update_time"]}).json()["logs"]
    assert len(later) == 1
    assert place.me.get(f"{path}/logs", params={"update_time": 2**63}).status_code == 400


def test_a_service_that_is_busy_cannot_be_changed(place):
    service_id = place.deploy(place.model(image="memory:never-ready"))
    answer = place.me.put(f"{place.mine}/services/{service_id}", json={"status": "stopped"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "ModelArts.3519")


def test_several_services_are_deleted_by_their_ids_with_commas_between(place):
    model_id = place.model()
    ids = [place.deploy(model_id) for _ in range(3)]
    assert place.me.delete(f"{place.mine}/services/{ids[0]},nobody").status_code == 404
    assert place.me.get(f"{place.mine}/services/{ids[0]}").status_code == 200
    assert place.me.delete(f"{place.mine}/services/{','.join(ids)},").json() == {}
    for service_id in ids:
        place.until(service_id, "gone")
    assert place.me.delete(f"{place.mine}/services/,").status_code == 404


def test_pages_go_on_by_records_until_an_empty_one(both):
    model_id = both.model()
    ids = [both.deploy(model_id) for _ in range(5)]
    seen, offset = [], 0
    while True:
        page = both.me.get(
            f"{both.mine}/services", params={"offset": offset, "limit": 2, "sort_by": "publish_at", "order": "ASC"}
        ).json()
        assert [key for key, value in page.items() if isinstance(value, list)] == ["services"]
        assert (page["total_count"], page["count"]) == (5, len(page["services"]))
        if not page["services"]:
            break
        offset += len(page["services"])
        seen += [one["service_id"] for one in page["services"]]
    assert sorted(seen) == sorted(ids)


def test_lists_are_filtered_as_clients_spell_it(both):
    first, second = both.model(), both.model()
    one, two = both.deploy(first, service_name="Digits-one"), both.deploy(second, service_name="digits_two")
    both.until(one, "running")
    both.until(two, "running")

    def found(**query):
        page = both.me.get(f"{both.mine}/services", params=query).json()
        return {service["service_id"] for service in page["services"]}

    assert found(service_name="digits") == {one, two}
    assert found(service_name="digits_") == {two}
    assert found(service_name="digits", exact_match="true") == set()
    assert found(service_name="Digits-one", exact_match="True") == {one}
    assert found(model_id=first) == found(env=first) == {one}
    assert found(status="Running") == {one, two}
    assert found(status="stopped") == found(infer_type="batch") == set()
    assert found(infer_type="real-time", workspace_id="0") == {one, two}
    assert found(service_id=two, unknown="x", tags="a") == {two}


def test_quotas_and_names_are_refused_with_the_documents_codes(place):
    model_id = place.model()
    entry = {"model_id": model_id, "specification": FLAVOR}
    taken = name()
    assert create(place, [entry], service_name=taken).status_code == 200
    for body, told in (
        ({"service_name": taken}, (409, "ModelArts.3503")),
        ({"service_name": "no spaces"}, (400, "ModelArts.0101")),
        ({"infer_type": "edge"}, (400, "ModelArts.0104")),
        ({"config": [{**entry, "specification": "huge"}]}, (400, "ModelArts.4507")),
        ({"config": [{**entry, "instance_count": 100_000}]}, (400, "ModelArts.3522")),
        ({"config": [{**entry, "model_id": "nobody"}]}, (404, "ModelArts.3507")),
        ({"config": [{"model_id": place.model(status="failed"), "specification": FLAVOR}]}, (400, "ModelArts.3515")),
        ({"schedule": [{"type": "stop", "time_unit": "YEARS", "duration": 1}]}, (400, "ModelArts.3562")),
        ({"load_balancer_policy": "RANDOM"}, (400, "ModelArts.0101")),
    ):
        answer = create(place, **{"config": [entry], **body})
        assert (answer.status_code, answer.json()["error_code"]) == told, answer.text


def test_a_service_tells_its_story(both):
    service_id = both.deploy(both.model())
    both.until(service_id, "running")
    path = f"{both.mine}/services/{service_id}/events"
    told = both.me.get(path).json()
    assert set(told) == {"service_id", "service_name", "total_count", "count", "events"}
    assert told["events"][-1]["event_info"] == "start to deploy service"
    assert {type(one["occur_time"]) for one in told["events"]} == {int}
    first = both.me.get(path, params={"order": "asc", "limit": 1, "event_type": "Normal"}).json()
    assert [one["event_info"] for one in first["events"]] == ["start to deploy service"]
    assert (first["count"], first["total_count"]) == (1, told["total_count"])
    assert both.me.get(path, params={"event_info": "<b>"}).status_code == 400
    assert both.me.get(path, params={"event_info": "DEPLOY"}).json()["count"] == 1
    assert both.me.get(path, params={"start_time": told["events"][0]["occur_time"] + 1}).json()["events"] == []


def test_a_service_is_monitored(both):
    service_id = both.deploy(both.model(model_name="watched"))
    both.until(service_id, "running")
    for _ in range(3):
        assert both.me.post(f"/v1/infers/{service_id}").status_code == 200
    path = f"{both.mine}/services/{service_id}/monitor"
    told = both.until_true(lambda: both.me.get(path).json(), lambda seen: seen["monitors"][0]["invocation_times"] == 3)
    assert (told["service_instance_count"], told["service_running_instance_count"]) == (1, 1)
    assert told["req_count_per_min"] in (2, 3)
    [model] = told["monitors"]
    assert (model["model_name"], model["failed_times"], model["cpu_core_total"]) == ("watched", 0, 2.0)
    assert (model["cpu_memory_total"], model["gpu_total"]) == (8192, 0.0)
    assert model["cpu_memory_usage"] == 16
    assert both.me.get(f"{both.mine}/services/{service_id}").json()["invocation_times"] == 3


def test_the_sizes_are_listed_and_not_taken_for_a_service(place):
    told = place.me.get(f"{place.mine}/services/specifications").json()
    assert [key for key, value in told.items() if isinstance(value, list)] == ["specifications"]
    first = told["specifications"][0]
    assert first["specification"] == FLAVOR
    assert first["cpu_info"] == {"arch": "x86", "cpu": 2}
    assert first["memory_info"] == {"unit": "GB", "memory": 8}
    assert (first["spec_status"], first["is_open"], first["over_quota"]) == ("normal", True, False)
    page = place.me.get(f"{place.mine}/services/specifications", params={"offset": "1", "limit": "2"}).json()
    assert page["specifications"] == told["specifications"][1:3]
    assert (page["count"], page["total_count"]) == (2, told["total_count"])
