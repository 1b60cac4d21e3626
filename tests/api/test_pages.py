"""What anyone may read, and what only programs on this machine may."""

import re

from mooring.api import pages


def test_anyone_may_ask_whether_it_lives(place):
    answer = place.at().get("/healthz")
    assert (answer.status_code, answer.json()["status"], answer.json()["edition"]) == (200, "ok", "otc-2022")


def test_the_page_about_the_api_is_whole_without_anybody_elses_server(place):
    answer = place.at().get("/docs")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "http" not in answer.text.replace(place.url, "")
    parts = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert len(parts) == len(pages.ASSETS) + 1
    for part in parts:
        asset = place.at().get(part)
        assert (asset.status_code, bool(asset.content)) == (200, True), part
    assert "<script>" not in answer.text


def test_no_other_file_is_served(place):
    for path in ("%2e%2e%2fopenapi.py", "a/%2e%2e/index.html", "swagger-ui.js.map", "index.html"):
        assert place.at().get(f"/docs/{path}").status_code == 404


def test_the_description_is_in_words_that_the_page_reads(place):
    described = place.at().get("/openapi.json").json()
    assert described["openapi"] == "3.0.3"
    text = str(described)
    assert "'type': 'null'" not in text
    assert "HTTPValidationError" not in text
    for path, operations in described["paths"].items():
        for operation in operations.values():
            assert operation["operationId"], path
            assert {"400", "401", "404", "500"} <= set(operation["responses"])
            success = operation["responses"].get("200") or operation["responses"]["201"]
            assert next(iter(success["content"].values()))["schema"], path


def test_metrics_are_for_this_machine_and_for_the_operator(place):
    assert b"mooring_gateway_table_number" in place.at().get("/metrics").content
    away = {"X-Forwarded-For": "192.0.2.1"}
    assert place.at().get("/metrics", headers=away).status_code == 401
    assert place.me.get("/metrics", headers=away).status_code == 200
    assert place.at().get("/metrics", headers={"Host": "192.0.2.7:8000"}).status_code == 401
