"""The cloud's own client for Python, with its endpoint pointed here: it signs every call with a key pair.

Its generated methods speak of newer things only; what it sends for version 1 goes through the same call beneath them.
"""

import json
import uuid

import pytest
from api.place import FLAVOR
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkmodelarts.v1 import ModelArtsClient


class Sdk:
    """The client, and its answers as what they say."""

    def __init__(self, client):
        self._client = client

    def ask(self, method, path, body=None, **query):
        answer = self._client._call_api(
            method=method,
            resource_path=f"/v1/{{project_id}}/{path}",
            request_type="SdkRequest",
            response_type="DeleteInferServiceTagResponse",  # one that has no fields
            cname=None,
            collection_formats={},
            path_params={},
            query_params=list(query.items()),
            header_params={"Content-Type": "application/json;charset=UTF-8"},
            post_params={},
            body=body,
            response_headers=[],
        )
        return json.loads(answer.raw_content)


@pytest.fixture(scope="module")
def pair(place):
    return place.me.post(f"{place.mine}/keys", json={"kind": "pair"}).json()


def client(place, credentials, **where):
    """A client with those credentials."""
    builder = ModelArtsClient.new_builder().with_credentials(credentials)
    config = HttpConfig.get_default_config()
    config.ignore_ssl_verification = True
    builder = builder.with_http_config(config)
    return (builder.with_region(where["region"]) if where else builder.with_endpoint(place.url)).build()


@pytest.fixture
def sdk(place, pair):
    made = client(place, BasicCredentials(pair["access"], pair["secret"], place.project))
    yield Sdk(made)
    made.close()


def test_a_model_and_a_service_live_and_die_by_the_sdk(place, sdk):
    wish = {
        "model_name": f"m{uuid.uuid4().hex[:8]}",
        "model_version": "1.0.0",
        "model_type": "Image",
        "source_location": "memory:ready",
        "source_copy": "true",
        "description": "über alles ☃",
    }
    model_id = sdk.ask("POST", "models", wish)["model_id"]
    assert sdk.ask("GET", f"models/{model_id}")["description"] == wish["description"]
    listed = sdk.ask("GET", "models", model_name=wish["model_name"], exact_match=True, limit=10, offset=0)
    assert [one["model_id"] for one in listed["models"]] == [model_id]
    entry = {"model_id": place.model(), "specification": FLAVOR, "instance_count": 1, "weight": "100", "envs": {}}
    name = f"s{uuid.uuid4().hex[:8]}"
    body = {"service_name": name, "infer_type": "real-time", "config": [entry], "workspace_id": "0"}
    service_id = sdk.ask("POST", "services", body)["service_id"]
    place.until(service_id, "running")
    assert sdk.ask("GET", f"services/{service_id}")["status"] == "running"
    assert sdk.ask("GET", "services", service_name=name, sort_by="publish_at", order="asc")["count"] == 1
    assert sdk.ask("GET", f"services/{service_id}/events")["events"]
    assert sdk.ask("GET", f"services/{service_id}/logs")["logs"][0]["result"] == "SUCCESS"
    assert sdk.ask("GET", f"services/{service_id}/monitor")["monitors"]
    assert sdk.ask("GET", "services/specifications", is_personal_cluster=False)["specifications"]
    assert sdk.ask("PUT", f"services/{service_id}", {"status": "stopped"}) == {}
    place.until(service_id, "stopped")
    assert sdk.ask("DELETE", f"services/{service_id}") == {}
    place.until(service_id, "gone")
    assert sdk.ask("DELETE", f"models/{model_id}", cascade=False)["delete_success_list"] == [model_id]


def test_the_sdk_understands_a_refusal(sdk):
    with pytest.raises(ClientRequestException) as raised:
        sdk.ask("GET", "services/nobody")
    assert (raised.value.status_code, raised.value.error_code) == (404, "ModelArts.3502")
    assert "nobody" in raised.value.error_msg


def test_the_sdk_finds_its_project_by_the_regions_name(place, pair):
    credentials = BasicCredentials(pair["access"], pair["secret"]).with_iam_endpoint(place.url)
    made = client(place, credentials, region=Region("default", place.url))
    try:
        assert Sdk(made).ask("GET", "services/specifications")["count"] > 0
        assert made.get_credentials().project_id == place.project
    finally:
        made.close()


@pytest.mark.parametrize("half", ["access", "secret"])
def test_a_wrong_half_of_a_pair_opens_nothing(place, pair, half):
    halves = {"access": pair["access"], "secret": pair["secret"], half: "x" * 20}
    made = client(place, BasicCredentials(halves["access"], halves["secret"], place.project))
    try:
        with pytest.raises(ClientRequestException) as raised:
            Sdk(made).ask("POST", "services", {"service_name": "a"})
        assert (raised.value.status_code, raised.value.error_code) == (401, "ModelArts.0206")
    finally:
        made.close()
