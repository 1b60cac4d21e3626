"""The pages about the API name every operation that there is, and none that there is not."""

import re
from dataclasses import replace
from pathlib import Path

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
OPERATION = re.compile(r"\b(?:Create|List|Show|Delete|Update|Patch|Revoke|Report)[A-Z]\w+")


def test_every_operation_is_on_a_page(place):
    described = place.at().get("/openapi.json").json()["paths"]
    operations = {one["operationId"] for operations in described.values() for one in operations.values()}
    ours = {
        one["operationId"]
        for operations in described.values()
        for one in operations.values()
        if {"extensions", "gateways", "platform"} & set(one["tags"])
    }
    api, extensions = ((REFERENCE / name).read_text("utf-8") for name in ("api.md", "extensions.md"))
    assert ours <= set(OPERATION.findall(extensions))
    assert operations - ours <= set(OPERATION.findall(api))
    assert set(OPERATION.findall(api + extensions)) <= operations


def test_a_services_address_is_where_its_callers_reach_the_platform(place):
    service_id = place.deploy(place.model())
    path, settings = f"{place.mine}/services/{service_id}", place.platform.settings

    def address(**said):
        place.platform.settings = replace(settings, **said)
        try:
            return place.me.get(path).json()["access_address"]
        finally:
            place.platform.settings = settings

    assert address() == f"{place.url}/v1/infers/{service_id}"
    assert address(listen="0.0.0.0:8000") == f"{place.url}/v1/infers/{service_id}"
    assert address(listen="127.0.0.1:0") == f"{place.url}/v1/infers/{service_id}"
    assert address(public_url="https://models.example/x/") == f"https://models.example/x/v1/infers/{service_id}"
