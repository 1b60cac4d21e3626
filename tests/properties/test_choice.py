"""The choice of a replica, for every route there can be."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mooring.gateway.choice import Draw, choose
from mooring.gateway.table import Route, Share, Target

POLICIES = ("LEAST_CONNECTIONS", "ROUND_ROBIN", "SOURCE_IP")
lots = st.floats(0, 1, exclude_max=True)
draws = st.builds(Draw, lots, st.integers(0, 10_000), st.ip_addresses().map(str))


@st.composite
def routes(draw):
    shares = []
    for index, count in enumerate(draw(st.lists(st.integers(0, 4), max_size=4))):
        targets = tuple(Target(f"r{index}-{one}", f"http://127.0.0.1:{1 + one}") for one in range(count))
        weight = draw(st.integers(0, 100))
        shares.append(
            Share(model_id=f"m{index}", model_name="m", model_version="1.0.0", weight=weight, targets=targets)
        )
    policy = draw(st.sampled_from(POLICIES))
    return Route(
        service_id="s",
        service_name="s",
        project_id="p",
        status="running",
        shares=tuple(shares),
        load_balancer_policy=policy,
    )


@st.composite
def worlds(draw):
    route = draw(routes())
    names = [target.replica for share in route.shares for target in share.targets]
    flights = draw(st.dictionaries(st.sampled_from(names), st.integers(1, 50))) if names else {}
    excluded = draw(st.sets(st.sampled_from(names))) if names else set()
    return route, flights, excluded


@given(worlds(), draws)
def test_only_a_replica_of_the_table_that_is_not_excluded_is_chosen(world, draw):
    route, flights, excluded = world
    found = choose(route, flights, draw, excluded)
    if found is not None:
        share, target = found
        assert share in route.shares
        assert target in share.targets
        assert target.replica not in excluded
        assert share.weight > 0


@given(worlds(), draws)
def test_none_is_chosen_only_when_none_is_left(world, draw):
    route, flights, excluded = world
    left = [
        one.replica for share in route.shares if share.weight for one in share.targets if one.replica not in excluded
    ]
    assert (choose(route, flights, draw, excluded) is None) == (not left)


@given(worlds(), lots)
def test_with_least_connections_no_replica_of_the_version_has_fewer_calls(world, lot):
    route, flights, excluded = world
    found = choose(route, flights, Draw(lot), excluded)
    if found is not None and route.load_balancer_policy == "LEAST_CONNECTIONS":
        share, target = found
        others = [one.replica for one in share.targets if one.replica not in excluded]
        assert flights.get(target.replica, 0) == min(flights.get(name, 0) for name in others)


@given(worlds())
def test_versions_share_calls_by_weight_among_those_that_have_a_replica(world):
    route, flights, excluded = world
    open_shares = [
        share for share in route.shares if share.weight and any(one.replica not in excluded for one in share.targets)
    ]
    total = sum(share.weight for share in open_shares)
    if route.load_balancer_policy == "SOURCE_IP" or not total:
        return
    draws = [Draw((index + 0.5) / total, index) for index in range(total)]
    counted = Counter(choose(route, flights, draw, excluded)[0].model_id for draw in draws)
    assert counted == {share.model_id: share.weight for share in open_shares}


@given(worlds(), st.ip_addresses().map(str), st.lists(lots, min_size=2, max_size=5))
def test_with_source_ip_a_caller_stays_where_it_was(world, source, several):
    route, flights, excluded = world
    if route.load_balancer_policy == "SOURCE_IP":
        found = {choose(route, flights, Draw(lot, turn, source), excluded) for turn, lot in enumerate(several)}
        assert len(found) == 1


@given(worlds(), lots)
def test_in_turn_every_replica_of_a_version_gets_its_call(world, lot):
    route, flights, excluded = world
    if route.load_balancer_policy == "ROUND_ROBIN" and (found := choose(route, flights, Draw(lot), excluded)):
        names = {one.replica for one in found[0].targets if one.replica not in excluded}
        turns = range(len(names))
        assert {choose(route, flights, Draw(lot, turn), excluded)[1].replica for turn in turns} == names
