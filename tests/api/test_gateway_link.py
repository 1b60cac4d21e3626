"""Control's side of the link to a gateway in another process, over HTTP, as its client speaks it."""

import asyncio

import pytest

from mooring.errors import Denied, MooringError
from mooring.gateway.control_client import ControlClient
from mooring.gateway.link import Count, GatewayReport


@pytest.fixture
def token(both):
    return both.me.post(f"{both.mine}/keys", json={"kind": "gateway"}).json()["secret"]


def linked(both, token, talk):
    async def run():
        async with ControlClient(both.url, token) as link:
            return await talk(link)

    return asyncio.run(run())


def test_a_gateway_is_given_the_table_and_the_next_one_as_soon_as_it_is_there(both, token):
    service_id = both.deploy(both.model())
    both.until(service_id, "running")

    async def talk(link):
        first = await link.table(after=0)
        waiting = asyncio.create_task(link.table(after=first.number))
        await asyncio.sleep(0.1)
        still = not waiting.done()
        await asyncio.to_thread(both.me.put, f"{both.mine}/services/{service_id}", json={"status": "stopped"})
        return first, still, await asyncio.wait_for(waiting, 10)

    first, _, second = linked(both, token, talk)
    assert first.routes[service_id].shares[0].targets
    assert second.number > first.number


def test_what_a_gateway_counted_is_counted_once(both, token):
    model_id = both.model()
    service_id = both.deploy(model_id)
    both.until(service_id, "running")
    minute = both.platform.clock.now_ms() // 60_000
    count = Count(service_id=service_id, model_id=model_id, minute=minute, calls=7, failures=2)

    async def talk(link):
        table = await link.table(after=0)
        report = GatewayReport(gateway_id="edge", number=1, table=table.number, counts=(count,))
        await link.report(report)
        await link.report(report)

    linked(both, token, talk)
    seen = both.me.get(f"{both.mine}/services/{service_id}").json()
    assert (seen["invocation_times"], seen["failed_times"]) == (7, 2)


def test_a_users_token_is_no_gateways(both):
    for client in (both.me, both.at(None, Authorization=f"Bearer {both.token}")):
        assert client.get("/gateway/table").status_code == 401
        assert client.post("/gateway/report", json={}).status_code == 401
    with pytest.raises(MooringError) as raised:
        linked(both, both.token, lambda link: link.table(after=0))
    assert isinstance(raised.value, Denied) or "401" in raised.value.message
