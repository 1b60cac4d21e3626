"""Services as clients of the v1 API send, read and wait for them."""

import pytest
from api.place import FLAVOR


def test_a_service_goes_from_deploying_to_running_and_is_called_at_its_address(both):
    service_id = both.deploy(both.model(), description="counts")
    seen = both.me.get(f"{both.mine}/services/{service_id}").json()
    assert seen["status"] in ("deploying", "running")
    running = both.until(service_id, "running")
    assert running["access_address"] == f"{both.url}/v1/infers/{service_id}"
    answer = both.me.post(running["access_address"] + "/predict", json={})
    assert answer.status_code == 200, answer.text
