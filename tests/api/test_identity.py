"""Logging in as clients of that cloud do, and what they ask before anything else."""

import re
from datetime import UTC, datetime, timedelta

import pytest


def login(place, identity, **scope):
    return place.at().post("/v3/auth/tokens", json={"auth": {"identity": identity, **scope}})


def by_password(place, *, user="admin", password=None, domain="mooring"):
    who = {"name": user, "password": password or place.token, "domain": {"name": domain}}
    return {"methods": ["password"], "password": {"user": who}}


def test_a_login_gives_a_token_that_opens_the_project_for_a_day(both):
    answer = login(both, by_password(both), scope={"project": {"name": "default"}})
    assert answer.status_code == 201, answer.text
    token = answer.json()["token"]
    assert token["project"] == {"id": both.project, "name": "default", "domain": token["user"]["domain"]}
    assert (token["user"]["name"], token["user"]["domain"]["name"], token["methods"]) == (
        "admin",
        "mooring",
        ["password"],
    )
    assert re.fullmatch(r"[0-9a-f]{32}", token["user"]["id"])
    assert {"id", "name"} == set(token["roles"][0])
    until = datetime.strptime(token["expires_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
    [modelarts] = [one for one in token["catalog"] if one["type"] == "modelarts"]
    assert modelarts["endpoints"][0]["url"] == f"{both.url}/v1/{both.project}"
    for headers in (
        {"X-Auth-Token": answer.headers["X-Subject-Token"]},
        {"Authorization": f"Bearer {answer.headers['X-Subject-Token']}"},
    ):
        assert both.at(None, **headers).get(f"{both.mine}/services").status_code == 200
        assert both.at(None, **headers).get(f"{modelarts['endpoints'][0]['url']}/models").status_code == 200


def test_both_halves_of_a_pair_log_in(place):
    pair = place.me.post(f"{place.mine}/keys", json={"kind": "pair"}).json()
    halves = {"access": {"key": pair["access"]}, "secret": {"key": pair["secret"]}}
    answer = login(place, {"methods": ["hw_ak_sk"], "hw_ak_sk": halves}, scope={"project": {"name": "default"}})
    assert (answer.status_code, answer.json()["token"]["methods"]) == (201, ["hw_ak_sk"])
    assert place.at(answer.headers["X-Subject-Token"]).get(f"{place.mine}/models").status_code == 200
    halves["secret"]["key"] = "wrong"
    assert login(place, {"methods": ["hw_ak_sk"], "hw_ak_sk": halves}).status_code == 401


def test_a_token_logs_in_and_its_session_lives_no_longer(place):
    first = login(place, by_password(place))
    second = login(place, {"methods": ["token"], "token": {"id": first.headers["X-Subject-Token"]}})
    assert (second.status_code, second.json()["token"]["methods"]) == (201, ["token"])
    assert second.json()["token"]["expires_at"] <= first.json()["token"]["expires_at"]


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        ({"user": "nobody"}, 401),
        ({"password": "wrong"}, 401),
    ],
)
def test_a_wrong_name_or_password_is_told_the_same(place, identity, status):
    answer = login(place, by_password(place, **identity))
    assert (answer.status_code, answer.json()["error_code"]) == (status, "ModelArts.0203")
    assert "X-Subject-Token" not in answer.headers


def test_a_login_into_another_project_is_refused(place):
    answer = login(place, by_password(place), scope={"project": {"name": "eu-de"}})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "ModelArts.0210")


def test_methods_that_are_not_spoken_are_named(place):
    answer = login(place, {"methods": ["totp"]})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "ModelArts.0104")
    assert place.at().post("/v3/auth/tokens", json={"auth": {}}).status_code == 400


def test_clients_find_their_project_and_their_domain(place):
    for path in ("/v3/projects", "/v3/projects?name=default", "/v3/auth/projects"):
        [project] = place.me.get(path).json()["projects"]
        assert (project["id"], project["name"], project["enabled"]) == (place.project, "default", True)
    assert place.me.get("/v3/projects", params={"name": "eu-de"}).json()["projects"] == []
    [domain] = place.me.get("/v3/auth/domains").json()["domains"]
    assert (domain["name"], domain["id"]) == ("mooring", project["domain_id"])


def test_clients_find_where_modelarts_is(place):
    services = {one["id"]: one["type"] for one in place.me.get("/v3/services").json()["services"]}
    found = {services[one["service_id"]]: one["url"] for one in place.me.get("/v3/endpoints").json()["endpoints"]}
    assert found["modelarts"] == f"{place.url}/v1/{place.project}"
