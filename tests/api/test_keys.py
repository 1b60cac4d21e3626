"""Keys over REST: made, listed and revoked; secrets told once; nobody gives out more than they have."""

import time

import pytest


def make(client, path, **body):
    answer = client.post(f"{path}/keys", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_token_opens_until_it_is_revoked_and_its_secret_is_told_once(both):
    made = make(both.me, both.mine, kind="Token", user_name="ann", description="for a script")
    ann = both.at(made["secret"])
    assert ann.get(f"{both.mine}/services").status_code == 200
    listed = both.me.get(f"{both.mine}/keys").json()
    assert [one["user_name"] for one in listed["keys"] if one["id"] == made["id"]] == ["ann"]
    assert made["secret"] not in both.me.get(f"{both.mine}/keys").text
    assert (listed["count"], listed["total_count"]) == (len(listed["keys"]), len(listed["keys"]))
    assert both.me.delete(f"{both.mine}/keys/{made['id']}").json() == {}
    assert ann.get(f"{both.mine}/services").status_code == 401
    assert both.me.delete(f"{both.mine}/keys/{made['id']}").status_code == 404


def test_a_token_ends_when_it_was_said_to(place):
    soon = int(time.time() * 1000) + 1500
    made = make(place.me, place.mine, kind="token", expires_at=str(soon))
    assert made["expires_at"] == soon
    client = place.at(made["secret"])
    assert client.get(f"{place.mine}/models").status_code == 200
    answer = place.until_true(lambda: client.get(f"{place.mine}/models"), lambda seen: seen.status_code == 401)
    assert answer.json()["error_code"] in ("ModelArts.0202", "ModelArts.0203")
    assert place.me.post(f"{place.mine}/keys", json={"expires_at": 1}).status_code == 400


def test_a_pair_is_revoked_by_its_access_key(place):
    made = make(place.me, place.mine, kind="pair")
    assert made["access"]
    assert place.me.delete(f"{place.mine}/keys/{made['access']}").json() == {}
    assert made["id"] not in [one["id"] for one in place.me.get(f"{place.mine}/keys").json()["keys"]]


def test_other_users_have_a_say_over_their_own_keys_only(place):
    ann = place.at(make(place.me, place.mine, kind="token", user_name="ann")["secret"])
    own = make(ann, place.mine, kind="token")
    assert own["user_name"] == "ann"
    assert ann.delete(f"{place.mine}/keys/{own['id']}").status_code == 200
    admins = next(one for one in ann.get(f"{place.mine}/keys").json()["keys"] if one["user_name"] == "admin")
    for answer in (
        ann.post(f"{place.mine}/keys", json={"user_name": "admin"}),
        ann.delete(f"{place.mine}/keys/{admins['id']}"),
        ann.post(f"{place.mine}/keys", json={"kind": "gateway"}),
        ann.get(f"{place.mine}/keys", params={"kind": "gateway"}),
        ann.post("/v1/projects", json={"name": "mine"}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (403, "ModelArts.0108")


def test_an_app_code_is_for_a_service_that_there_is(place):
    for service_id, status in (("nobody", 404), (None, 400)):
        answer = place.me.post(f"{place.mine}/keys", json={"kind": "app", "service_id": service_id})
        assert answer.status_code == status


def test_gateways_tokens_are_listed_and_revoked_by_the_operator(place):
    made = make(place.me, place.mine, kind="gateway", description="edge")
    listed = place.me.get(f"{place.mine}/keys", params={"kind": "gateway"}).json()["keys"]
    assert made["id"] in [one["id"] for one in listed]
    assert place.at(made["secret"]).get(f"{place.mine}/services").status_code == 401
    assert place.at(made["secret"]).get("/gateway/table").status_code == 200
    assert place.me.delete(f"{place.mine}/keys/{made['id']}").status_code == 200
    assert place.at(made["secret"]).get("/gateway/table").status_code == 401


def test_a_project_is_made_with_its_first_token(both):
    client, path = both.other()
    assert client.get(f"{path}/services").json()["services"] == []
    name = client.get("/v3/projects").json()["projects"][0]["name"]
    answer = both.me.post("/v1/projects", json={"name": name})
    assert answer.status_code == 409
    assert both.me.post("/v1/projects", json={"name": "no spaces"}).status_code == 400


@pytest.mark.parametrize("kind", ["session", "root", ""])
def test_no_other_kinds_are_made(place, kind):
    assert place.me.post(f"{place.mine}/keys", json={"kind": kind}).status_code == 400
