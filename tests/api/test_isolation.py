"""Projects do not see each other, and nobody gets in without a key: for every operation that there is."""

import uuid

import pytest
from fastapi.routing import APIRoute

from mooring.api.app import ROUTERS, application
from mooring.api.door import is_open

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
CALLS = sorted((method, route.path) for route in ROUTES for method in route.methods)
OF_PROJECTS = [(method, path) for method, path in CALLS if "{project_id}" in path]
GUARDED = [(method, path) for method, path in CALLS if not is_open(path) and path != "/docs/{asset}"]
BODIES = {
    ("POST", "/v1/{project_id}/services"): {"service_name": "a", "infer_type": "real-time", "config": []},
    ("PUT", "/v1/{project_id}/services/{service_id}"): {"status": "stopped"},
    ("PATCH", "/v1/{project_id}/services/{service_id}"): {"status": "stopped"},
    ("POST", "/v1/{project_id}/models"): {
        "model_name": "a",
        "model_version": "1.0.0",
        "model_type": "Image",
        "source_location": "memory:ready",
    },
    ("POST", "/v1/{project_id}/keys"): {"kind": "token"},
}


def url(path, project, **ids):
    for name, value in {"project_id": project, **ids}.items():
        path = path.replace(f"{{{name}}}", value)
    return path


@pytest.fixture(scope="module")
def theirs(place):
    """Another project's client, and what is in it: a model, a service, a key."""
    client, path = place.other()
    project = path.removeprefix("/v1/")
    model_id = place.model(project=project)
    body = {
        "service_name": "theirs",
        "infer_type": "real-time",
        "config": [{"model_id": model_id, "specification": "local.cpu.half"}],
    }
    service_id = client.post(f"{path}/services", json=body).json()["service_id"]
    key_id = client.get(f"{path}/keys").json()["keys"][0]["id"]
    return client, project, {"model_id": model_id, "service_id": service_id, "key_id": key_id}


def test_every_operation_of_the_app_is_in_this_walk(place):
    app = application(place.platform)
    assert {operation for path in app.openapi()["paths"].values() for operation in path} >= {"get", "post", "put"}
    assert {path for _, path in CALLS} >= set(app.openapi()["paths"])


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_gets_in_without_a_key(place, method, path):
    target = url(path, place.project, model_id="m", service_id="s", key_id="k")
    for client in (place.at(), place.at("wrong"), place.at(None, Authorization="Bearer wrong")):
        answer = client.request(method, target, json=BODIES.get((method, path)))
        assert answer.status_code == 401, answer.text
        assert answer.json()["error_code"] in ("ModelArts.0205", "ModelArts.0203")


@pytest.mark.parametrize(("method", "path"), OF_PROJECTS)
def test_a_key_opens_no_other_project(place, theirs, method, path):
    _, project, ids = theirs
    answer = place.me.request(method, url(path, project, **ids), json=BODIES.get((method, path)))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "ModelArts.0210"), answer.text


@pytest.mark.parametrize(("method", "path"), [one for one in OF_PROJECTS if one[1].count("{") > 1])
def test_what_is_in_another_project_is_not_there(place, theirs, method, path):
    _, _, ids = theirs
    answer = place.me.request(method, url(path, place.project, **ids), json=BODIES.get((method, path)))
    assert answer.status_code == 404, answer.text


def test_nothing_happened_to_the_other_project(place, theirs):
    client, project, ids = theirs
    for method, path in OF_PROJECTS:
        place.me.request(method, url(path, project, **ids), json=BODIES.get((method, path)))
        place.me.request(method, url(path, place.project, **ids), json=BODIES.get((method, path)))
    assert client.get(f"/v1/{project}/services/{ids['service_id']}").json()["status"] in ("deploying", "running")
    assert client.get(f"/v1/{project}/models/{ids['model_id']}").status_code == 200
    assert [one["service_id"] for one in client.get(f"/v1/{project}/services").json()["services"]] == [
        ids["service_id"]
    ]


def test_another_projects_model_cannot_be_deployed(place, theirs):
    _, _, ids = theirs
    body = {
        "service_name": f"s{uuid.uuid4().hex[:8]}",
        "infer_type": "real-time",
        "config": [{"model_id": ids["model_id"], "specification": "local.cpu.half"}],
    }
    answer = place.me.post(f"{place.mine}/services", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ModelArts.3507")


def test_another_projects_service_cannot_be_called(place, theirs):
    client, project, ids = theirs
    place.until(ids["service_id"], "running", client=client, path=f"/v1/{project}")
    assert client.post(f"/v1/infers/{ids['service_id']}").status_code == 200
    assert place.me.post(f"/v1/infers/{ids['service_id']}").status_code in (401, 403, 404)


def test_an_app_code_opens_its_service_and_nothing_of_the_api(place):
    service_id = place.deploy(place.model())
    place.until(service_id, "running")
    made = place.me.post(f"{place.mine}/keys", json={"kind": "app", "service_id": service_id}).json()
    app = place.at(None, **{"X-Apig-AppCode": made["secret"]})
    assert app.post(f"/v1/infers/{service_id}").status_code == 200
    for path in (f"{place.mine}/services/{service_id}", "/v3/projects", "/v1/projects", f"{place.mine}/keys"):
        assert (app.get(path).status_code, app.get(path).json()["error_code"]) == (403, "ModelArts.0108")


def test_a_user_lists_their_own_project_and_the_operator_all(place, theirs):
    client, project, _ = theirs
    assert [one["id"] for one in client.get("/v1/projects").json()["projects"]] == [project]
    assert [one["id"] for one in client.get("/v3/projects").json()["projects"]] == [project]
    assert {place.project, project} <= {one["id"] for one in place.me.get("/v1/projects").json()["projects"]}
    assert client.post("/v1/projects", json={"name": "more"}).json()["error_code"] == "ModelArts.0108"
    assert client.post(f"/v1/{project}/keys", json={"kind": "gateway"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 403
