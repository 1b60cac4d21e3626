import json
from dataclasses import replace

import pytest

from mooring.errors import Invalid
from mooring.gateway.link import Count, GatewayReport
from mooring.gateway.table import AccessKey, Callers, Limits, Principal, Route, Share, Table, Target, Token
from mooring.gateway.wire import report_from_json, report_to_json, table_from_json, table_to_json

WHO = Principal("p" * 32, "ann", "key-1")
SHARE = Share(model_id="m", model_name="mnist", model_version="1.0.0", weight=70, targets=(Target("r", "http://h:1"),))
ROUTE = Route(
    service_id="s",
    service_name="digits",
    project_id="p" * 32,
    status="running",
    shares=(SHARE, replace(SHARE, targets=())),
    limits=Limits(body_bytes=12 << 20, answer_seconds=40.0),
    websocket=True,
    load_balancer_policy="SOURCE_IP",
)
CALLERS = Callers(
    tokens={"a" * 64: Token(WHO, 17)},
    app_codes={"b" * 64: Token(replace(WHO, service_id="s"))},
    access_keys={"AK": AccessKey("the secret", WHO)},
)
TABLE = Table(number=1_700_000_000_000, routes={"s": ROUTE}, callers=CALLERS)


def test_a_table_comes_back_as_it_was_secrets_and_all():
    assert table_from_json(table_to_json(TABLE)) == TABLE
    assert table_from_json(table_to_json(Table())) == Table()


def test_a_report_comes_back_as_it_was():
    count = Count(service_id="s", model_id="m", minute=28_333_333, calls=5, failures=1)
    report = GatewayReport(gateway_id="g", number=3, table=9, in_flight={"r": 2}, counts=(count,))
    assert report_from_json(report_to_json(report)) == report


def test_a_table_of_before_a_field_was_there_is_read():
    data = json.loads(table_to_json(TABLE))
    del data["routes"]["s"]["limits"]["drain_seconds"]
    assert table_from_json(json.dumps(data)) == TABLE


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda data: data.update(extra=1), "Table.extra"),
        (lambda data: data.update(number="7"), "Table.number"),
        (lambda data: data.update(number=True), "Table.number"),
        (lambda data: data["routes"]["s"].update(websocket=1), "Table.routes['s'].websocket"),
        (lambda data: data["routes"]["s"].pop("status"), "Table.routes['s'].status"),
        (lambda data: data["routes"]["s"]["shares"][0].update(weight=1.5), "Table.routes['s'].shares[0].weight"),
        (lambda data: data["routes"]["s"].update(shares={}), "Table.routes['s'].shares"),
        (lambda data: data["callers"]["access_keys"]["AK"].update(secret=None), "['AK'].secret"),
    ],
)
def test_anything_else_is_refused_with_the_place(change, where):
    data = json.loads(table_to_json(TABLE))
    change(data)
    with pytest.raises(Invalid) as refused:
        table_from_json(json.dumps(data))
    assert where in refused.value.message


@pytest.mark.parametrize("text", ["", "[]", "null", "{", b"\xff", "[" * 100_000])
def test_what_is_no_table_is_refused(text):
    with pytest.raises(Invalid):
        table_from_json(text)
