"""What a caller is told when something is wrong: a code of the documents, in JSON, and nothing of what is inside."""

import http.client
import json
import logging
from urllib.parse import quote

import pytest
from control.house import locked

from mooring.api.problems import CASES, ELSEWHERE, problem_of
from mooring.errors import Conflict, Denied, Invalid, NotFound, Refused, Unavailable


def told(answer):
    assert answer.headers["content-type"].startswith("application/json")
    assert set(answer.json()) == {"error_code", "error_msg"}
    return answer.status_code, answer.json()["error_code"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/x/nothing", "/v2/{p}/services", "/v1/{p}/services/", "/docs/x.js"])
def test_an_unknown_path_is_a_404_in_json(place, path):
    assert told(place.me.get(path.replace("{p}", place.project))) == (
        404,
        "ModelArts.0101" if path.startswith("/docs") else "APIG.0101",
    )


def test_a_method_that_a_path_does_not_take_is_a_405_that_names_those_it_takes(place):
    answer = place.me.post(f"{place.mine}/services/specifications")
    assert told(answer) == (405, "APIG.0101")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" + b"[]," * 1_000_000 + b"1]",
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[]",
        b'"text"',
        b"null",
        b"",
    ],
)
def test_a_body_that_cannot_be_meant_is_a_400(place, body):
    answer = place.me.post(f"{place.mine}/services", content=body, headers={"Content-Type": "application/json"})
    assert told(answer) == (400, "ModelArts.0101")


def test_json_is_understood_whatever_its_content_type_says(place):
    curls = "application/x-www-form-urlencoded"
    for kind in ("application/json;charset=UTF-8", "application/json; charset=utf8", curls, "text/plain", None):
        headers = {"Content-Type": kind} if kind else {}
        answer = place.me.post(f"{place.mine}/services", content=b'{"service_name": "a"}', headers=headers)
        assert "infer_type" in answer.json()["error_msg"], answer.text


def test_a_body_above_4_mib_is_refused_before_it_is_read(place):
    answer = place.me.post(f"{place.mine}/services", content=b" " * (4 * 1024**2 + 1))
    assert told(answer) == (413, "APIG.0201")

    assert told(place.at().post("/v3/auth/tokens", content=b" " * 65537)) == (413, "APIG.0201")

    def stream():
        for _ in range(80):
            yield b" " * 65536

    assert told(place.me.post(f"{place.mine}/services", content=stream())) == (413, "APIG.0201")


def test_what_is_missing_is_named(place):
    answer = place.me.post(f"{place.mine}/models", json={"model_name": "a"})
    assert told(answer) == (400, "ModelArts.3036")
    assert "model_version: is missing" in answer.json()["error_msg"]
    entry = {"model_id": 5, "specification": "x"}
    body = {"service_name": "a", "infer_type": "real-time", "config": [entry]}
    answer = place.me.post(f"{place.mine}/services", json=body)
    assert answer.json()["error_msg"] == "config[0].model_id: Input should be a valid string"


def test_nothing_strange_in_a_path_or_a_query_troubles_a_database(both):
    for path in ("services/a%00b", "models/a%00b", "services?service_name=%00"):
        assert told(both.me.get(f"{both.mine}/{path}")) in ((404, "APIG.0101"), (400, "ModelArts.0104"))
    for name in ("\ufffd", "☃" * 2000, "%", "_", "\\", "'", '"', "a\x7f"):
        assert told(both.me.get(f"{both.mine}/services/{quote(name)}"))[0] == 404
        for filter_name in ("service_id", "service_name", "model_id", "cluster_id", "workspace_id"):
            answer = both.me.get(f"{both.mine}/services", params={filter_name: name})
            assert (answer.status_code, answer.json()["count"]) == (200, 0), answer.text
        answer = both.me.get(f"{both.mine}/models", params={"model_name": name, "description": name})
        assert (answer.status_code, answer.json()["models"]) == (200, [])
    for query in ("offset=9223372036854775808", "limit=-1", "limit=1.5", "order=up", "sort_by=x"):
        for what in ("services", "models"):
            assert told(both.me.get(f"{both.mine}/{what}?{query}"))[0] == 400


def test_our_own_mistake_is_an_id_that_the_log_has_too(place, caplog):
    broken = place.model(config={"apis": ["no such thing can be"]})
    with caplog.at_level(logging.ERROR, logger="mooring.api"):
        answer = place.me.get(f"{place.mine}/models/{broken}")
    assert told(answer) == (500, "ModelArts.0010")
    assert "attribute" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["error_msg"]
    assert answer.headers["x-request-id"] in caplog.text
    assert "AttributeError" in caplog.text


def test_a_database_that_is_locked_is_a_503_to_come_back_after(place):
    body = {"service_name": "late", "infer_type": "real-time", "config": []}
    with locked(place.platform.db):
        answer = place.me.post(f"{place.mine}/services", json=body)
    assert told(answer) == (503, "ModelArts.0010")
    assert int(answer.headers["retry-after"]) > 0


def raw(place, method, path, headers, body=b""):
    """A request whose Host and others are as they are written here."""
    connection = http.client.HTTPConnection(place.url.removeprefix("http://"), timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers
    finally:
        connection.close()


def test_another_name_than_this_machines_is_not_answered_to(place):
    for host in ("evil.example", "127.0.0.1.evil.example", "", "["):
        for path in ("/healthz", "/openapi.json", "/docs", "/metrics"):
            status, body, _ = raw(place, "GET", path, {"Host": host})
            assert (status, body["error_code"]) == (400, "ModelArts.0210"), (host, path)
    for host in ("localhost:1", "127.0.0.1", "[::1]:8000", "127.8.8.8"):
        assert raw(place, "GET", "/healthz", {"Host": host})[0] == 200


def test_pages_of_other_origins_may_not_call_and_are_told_so_without_cors(place):
    host = place.url.removeprefix("http://")
    for origin in ("https://evil.example", "null", f"{place.url}0"):
        status, _, headers = raw(place, "GET", "/healthz", {"Host": host, "Origin": origin})
        assert status == 403
        assert not [name for name in headers if name.lower().startswith("access-control")]
    assert raw(place, "GET", "/healthz", {"Host": host, "Origin": place.url})[0] == 200
    assert raw(place, "OPTIONS", f"{place.mine}/services", {"Host": host, "Origin": place.url})[0] == 401


def test_every_answer_says_how_it_is_to_be_taken(place):
    for answer in (place.me.get("/healthz"), place.me.get(f"{place.mine}/services"), place.at().get("/v3/projects")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-request-id"]
    assert place.me.get("/healthz", headers={"X-Request-Id": "mine-1"}).headers["x-request-id"] == "mine-1"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("x"), 400),
        (Refused("x"), 400),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Denied("x"), 401),
        (Unavailable("x"), 503),
        (NotFound("x", case="key-unknown"), 404),
        (Denied("x", case="key-unknown"), 401),
    ],
)
def test_errors_without_a_case_are_told_by_their_kind(error, status):
    assert problem_of(error).status == status


def test_every_code_is_one_of_the_documents(place):
    for problem in (*CASES.values(), *ELSEWHERE.values()):
        assert problem.code.startswith(("ModelArts.", "APIG."))
        assert 400 <= problem.status < 600
