"""What the platform's verbs make of answers that are not as they should be."""

import http.server
import json
import re
import subprocess
import sys
import threading

import pytest

ESCAPES = "\x1b[2J\x9b1mevil\u202e\u200b\r\n"
# What moves a cursor, turns a line round or is not seen; a line's end is ours where it stands alone.
DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")
SOMEBODY = {"MOORING_TOKEN": "any"}
ID = "0a6dfd5a-6a3b-4e0c-9d0a-2f3c8f0f5f11"
SERVICE = {
    "service_name": ESCAPES,
    "service_id": ID,
    "infer_type": "real-time",
    "status": ESCAPES,
    "access_address": ESCAPES,
    "error_msg": ESCAPES,
    "description": ESCAPES,
    "invocation_times": 1,
    "failed_times": 0,
    "transition_at": 1,
    "config": [
        {
            "model_name": ESCAPES,
            "model_version": ESCAPES,
            "weight": 100,
            "instance_count": 1,
            "status": ESCAPES,
            "specification": ESCAPES,
        }
    ],
}
MODEL = {
    "model_name": ESCAPES,
    "model_version": ESCAPES,
    "model_status": ESCAPES,
    "model_size": 5,
    "create_at": 1,
    "model_id": ID,
    "apis": json.dumps([{"method": ESCAPES, "url": ESCAPES}]),
}
KEY = {"id": ESCAPES, "kind": ESCAPES, "user_name": ESCAPES, "created_at": 1, "description": ESCAPES}
EVENTS = [{"event_type": "abnormal", "event_info": ESCAPES, "occur_time": 1}]
ANSWERS = {
    "/v3/projects": {"projects": [{"id": "p", "name": "default"}]},
    "/v1/p/services": {"services": [SERVICE]},
    f"/v1/p/services/{ID}": SERVICE,
    f"/v1/p/services/{ID}/events": {"events": EVENTS},
    f"/v1/p/services/{ID}/container-logs": {"time": ESCAPES, "replica": ESCAPES, "text": ESCAPES, "stream": "stdout"},
    "/v1/p/models": {"models": [MODEL]},
    f"/v1/p/models/{ID}": MODEL,
    f"/v1/p/models/{ID}/events": {"events": EVENTS},
    "/v1/p/keys": {"keys": [KEY]},
}


@pytest.fixture
def answering():
    """Serve these answers by path, with 200, or with a status of their own as (status, body)."""
    servers = []

    def serve(answers):
        class Api(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                found = answers.get(self.path.partition("?")[0], (404, {"error_code": "x", "error_msg": ESCAPES}))
                status, body = found if isinstance(found, tuple) else (200, found)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "words",
    [
        ("services",),
        ("services", "--json"),
        ("show", ID),
        ("show", ID, "--json"),
        ("show", f"{ID}:"),
        ("models",),
        ("events", ID),
        ("events", ID, "--json"),
        ("logs", ID),
        ("logs", ID, "--json"),
        ("keys", "list"),
        ("monitor", ID),
    ],
)
def test_nothing_that_a_platform_says_moves_the_terminals_cursor(mooring, answering, words):
    done = mooring(*words, MOORING_URL=answering(ANSWERS), **SOMEBODY)
    assert done.returncode == (2 if words[0] == "monitor" else 0), done.stderr
    assert "evil" in done.stdout + done.stderr
    assert not DANGEROUS.search(done.stdout + done.stderr)
    if words[-1] == "--json" and words[0] == "services":
        assert json.loads(done.stdout)[0]["service_name"] == ESCAPES


@pytest.mark.parametrize("said", [b"<html>It works!</html>", b"[]", b"{}"])
def test_another_server_is_said_to_be_no_platform(mooring, answering, said):
    done = mooring("services", MOORING_URL=answering({"/v3/projects": said}), **SOMEBODY)
    assert done.returncode == 69
    assert "is no platform" in done.stderr
    assert "hint: MOORING_URL" in done.stderr


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [(401, 2, "the token is not good"), (403, 2, ""), (409, 2, ""), (429, 69, ""), (503, 69, ""), (418, 2, "")],
)
def test_an_error_of_the_platform_is_told_in_its_words(mooring, answering, status, code, hint):
    url = answering({"/v3/projects": (status, {"error_code": "ModelArts.1", "error_msg": "so it is"})})
    done = mooring("services", MOORING_URL=url, **SOMEBODY)
    assert done.returncode == code
    assert done.stderr.startswith("mooring: so it is\n")
    assert ("hint: " in done.stderr) == bool(hint)
    assert hint in done.stderr


def test_without_a_token_it_is_said_how_to_have_one(mooring, answering, tmp_path):
    url = answering({"/v3/projects": (401, {"error_code": "APIG.0301", "error_msg": "who are you?"})})
    nobody = {"MOORING_DATA": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "MOORING_TOKEN": ""}
    done = mooring("services", MOORING_URL=url, **nobody)
    assert done.returncode == 2
    assert "MOORING_TOKEN" in done.stderr
    assert "mooring login" in done.stderr


def test_a_model_that_is_asked_of_a_platform_that_is_away_gets_one_hint(mooring, answering):
    url = answering({"/v3/projects": (503, {"error_code": "ModelArts.1", "error_msg": "the database is away"})})
    done = mooring("predict", "digits", MOORING_URL=url, **SOMEBODY)
    assert done.returncode == 69
    assert "hint: if digits is a host, write http://digits" in done.stderr


def test_the_help_of_the_client_shows_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("MOORING_TOKEN", "a-secret")
    script = "import mooring, pydoc; print(pydoc.plain(pydoc.render_doc(mooring.Client)))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "one caller of one platform" in told.stdout.lower()
    assert "a-secret" not in told.stdout


def test_the_verbs_that_change_a_service_do_not_promise_defaults(mooring):
    assert "[default: 1]" not in mooring("update", "--help").stdout
    assert "[default: as it is]" in mooring("update", "--help").stdout
