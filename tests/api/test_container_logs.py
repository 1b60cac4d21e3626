"""What containers wrote, over REST: lines of JSON, also as they come, also of containers that are gone."""

import json

import httpx


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_lines_are_told_with_their_replica_time_and_stream_and_stay_after_a_stop(place):
    service_id = place.deploy(place.model(image="memory:ready_logs-3"))
    place.until(service_id, "running")
    path = f"{place.mine}/services/{service_id}/container-logs"
    told = lines(place.until_true(lambda: place.me.get(path), lambda seen: len(seen.text.splitlines()) >= 3))
    assert [one["text"] for one in told[:3]] == ["line 1", "line 2", "line 3"]
    assert {set(one) == {"time", "stream", "text", "replica"} for one in told} == {True}
    place.me.put(f"{place.mine}/services/{service_id}", json={"status": "stopped"})
    place.until(service_id, "stopped")
    assert [one["text"] for one in lines(place.me.get(path))[:3]] == ["line 1", "line 2", "line 3"]
    assert [one["text"] for one in lines(place.me.get(path, params={"tail": 1}))] == [told[-1]["text"]]
    assert lines(place.me.get(path, params={"since": "253402300799001"})) == []
    assert lines(place.me.get(path, params={"replica": "nobody"})) == []
    assert len(lines(place.me.get(path, params={"replica": told[0]["replica"], "since": 0}))) == len(told)
    for wrong in ({"replica": "../x"}, {"since": "now"}, {"tail": -1}):
        assert place.me.get(path, params=wrong).status_code == 400


def test_new_lines_come_as_they_are_written(place):
    service_id = place.deploy(place.model(image="memory:ready_logs-2"))
    place.until(service_id, "running")
    path = f"{place.mine}/services/{service_id}/container-logs"
    for accept, begins in (("application/x-ndjson", '{"'), ("text/event-stream", 'data: {"')):
        with place.me.stream("GET", path, params={"follow": "true"}, headers={"Accept": accept}) as answer:
            assert answer.headers["content-type"].startswith(accept)
            coming = answer.iter_lines()
            assert next(coming).startswith(begins)


def test_following_ends_with_the_service(place):
    service_id = place.deploy(place.model(image="memory:ready_logs-1"))
    place.until(service_id, "running")
    with place.me.stream(
        "GET",
        f"{place.mine}/services/{service_id}/container-logs",
        params={"follow": "true"},
        timeout=httpx.Timeout(20),
    ) as answer:
        coming = answer.iter_lines()
        assert json.loads(next(coming))["text"] == "line 1"
        assert place.at(place.token).delete(f"{place.mine}/services/{service_id}").status_code == 200
        assert all("text" in json.loads(line) for line in coming)
