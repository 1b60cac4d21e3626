import asyncio

import pytest
from control.house import locked

from mooring.control.gateways import Gateways
from mooring.control.tables import Calls, Heard, Totals
from mooring.errors import Unavailable
from mooring.gateway.link import Count, GatewayReport
from mooring.gateway.table import Callers, Principal, Route, Share, Target, Token


@pytest.fixture
def gateways(db, clock):
    made = Gateways(db, now_ms=clock, hold_seconds=0.05)
    made.open()
    return made


def routes(*replicas):
    targets = tuple(Target(name, f"http://127.0.0.1/{name}") for name in replicas)
    share = Share(model_id="m", model_name="digits", model_version="1.0.0", weight=100, targets=targets)
    return {
        "s": Route(service_id="s", service_name="mnist", project_id="p", status="running", shares=(share,)),
    }


def report(  # noqa: PLR0913 - a report has as many sides
    gateways, *, number=1, table=None, gateway="g", in_flight=None, counts=()
):
    told = GatewayReport(
        gateway_id=gateway,
        number=number,
        table=gateways._table.number if table is None else table,
        in_flight=in_flight or {},
        counts=counts,
    )
    asyncio.run(gateways.report(told))


def count(calls, failures=0, minute=7):
    return Count(service_id="s", model_id="m", minute=minute, calls=calls, failures=failures)


def counted(db):
    with db.read() as session:
        minutes = {row.minute: (row.calls, row.failures) for row in session.query(Calls)}
        total = session.get(Totals, ("s", "m"))
        return minutes, (total.calls, total.failures)


def test_numbers_only_rise_also_when_the_clock_went_back_while_control_was_away(gateways, db, clock):
    first = gateways.publish(routes("a"))
    second = gateways.publish(routes("a", "b"))
    assert second > first
    clock.pass_ms(-3_600_000)
    after = Gateways(db, now_ms=clock, hold_seconds=0)
    after.open()
    after.publish(routes("a", "b"))
    table = asyncio.run(after.table(after=second))
    assert table.number > second


def test_the_same_routes_are_no_new_table(gateways):
    assert gateways.publish(routes("a")) == gateways.publish(routes("a"))


def test_nothing_is_given_out_before_the_first_routes_are_known(gateways):
    gateways.change_callers(Callers(tokens={"x": Token(Principal("p", "u", "k"))}))
    table = asyncio.run(gateways.table(after=0))
    assert (table.number, table.routes) == (0, {})
    gateways.publish(routes("a"))
    table = asyncio.run(gateways.table(after=0))
    assert table.routes == routes("a")
    assert set(table.callers.tokens) == {"x"}


def test_who_waits_for_the_next_table_has_it_at_once(db, clock):
    async def test():
        gateways = Gateways(db, now_ms=clock, hold_seconds=30)
        number = gateways.publish(routes("a"))
        waiting = asyncio.ensure_future(gateways.table(after=number))
        await asyncio.sleep(0)
        await asyncio.to_thread(gateways.publish, routes("b"))
        return await asyncio.wait_for(waiting, 5)

    assert asyncio.run(test()).routes == routes("b")


def test_a_change_of_callers_is_a_new_table(gateways):
    number = gateways.publish(routes("a"))
    gateways.change_callers(Callers(tokens={"x": Token(Principal("p", "u", "k"))}))
    assert asyncio.run(gateways.table(after=number)).number > number


def test_calls_are_added_to_their_minute_and_to_the_total(gateways, db):
    gateways.publish(routes("a"))
    report(gateways, counts=(count(3, 1), count(2), count(5, minute=8)))
    report(gateways, number=2, counts=(count(1),))
    assert counted(db) == ({7: (6, 1), 8: (5, 0)}, (11, 1))


def test_a_report_that_is_sent_twice_is_counted_once(gateways, db, clock):
    gateways.publish(routes("a"))
    report(gateways, number=4, counts=(count(3),))
    report(gateways, number=4, counts=(count(3),))
    after = Gateways(db, now_ms=clock)
    after.open()
    report(after, number=4, counts=(count(3),))
    report(after, number=4, counts=(count(3),), gateway="another")
    assert counted(db) == ({7: (6, 0)}, (6, 0))


def test_a_report_that_cannot_be_counted_is_refused_and_heard_all_the_same(gateways, db):
    gateways.publish(routes("a"))
    gateways.publish(routes())
    with locked(db), pytest.raises(Unavailable):
        report(gateways, in_flight={"a": 1}, counts=(count(3),))
    assert not gateways.is_quiet("a")
    report(gateways, counts=(count(3),))
    assert counted(db) == ({7: (3, 0)}, (3, 0))
    assert gateways.is_quiet("a")


def test_a_replica_is_quiet_when_every_gateway_has_let_go_of_it(gateways):
    before = gateways.publish(routes("a", "b"))
    report(gateways, gateway="g")
    report(gateways, gateway="h")
    assert not gateways.is_quiet("a")
    gateways.publish(routes("b"))
    assert not gateways.is_quiet("a")
    report(gateways, gateway="g", number=2)
    report(gateways, gateway="h", number=2, table=before)
    assert not gateways.is_quiet("a")
    report(gateways, gateway="h", number=3, in_flight={"a": 1})
    assert not gateways.is_quiet("a")
    report(gateways, gateway="h", number=4)
    assert gateways.is_quiet("a")
    assert not gateways.is_quiet("b")


def test_a_gateway_that_was_not_heard_for_ten_seconds_is_not_waited_for(gateways, clock):
    before = gateways.publish(routes("a"))
    report(gateways, gateway="lost", table=before, in_flight={"a": 1})
    gateways.publish(routes())
    clock.pass_ms(9_000)
    report(gateways, gateway="g")
    assert not gateways.is_quiet("a")
    clock.pass_ms(1_001)
    assert gateways.is_quiet("a")
    assert set(gateways.live()) == {"g"}


def test_after_a_restart_gateways_from_before_have_ten_seconds_to_be_heard(gateways, db, clock):
    gateways.publish(routes("a"))
    report(gateways)
    after = Gateways(db, now_ms=clock)
    after.open()
    after.publish(routes())
    assert not after.is_quiet("a")
    clock.pass_ms(10_001)
    assert after.is_quiet("a")


def test_a_gateway_that_counts_nothing_is_still_known_after_a_restart(gateways, db):
    gateways.publish(routes("a"))
    report(gateways)
    with db.read() as session:
        assert session.get(Heard, "g") is not None
