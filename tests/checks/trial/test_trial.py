import http.server
import json
import threading

import pytest

from mooring.checks import Kind, NotAsked, NotKnown, Wish
from mooring.checks.trial import ServerTrial, Trial
from mooring.checks.trial.sightings import Purpose, Termination
from mooring.contract import ModelConfig, edition
from mooring.engine.leftovers import OWNER_LABEL
from mooring.engine.owner import Owner
from mooring.errors import NotStated, Unavailable

CONFIG = {
    "model_algorithm": "reading",
    "model_type": "Image",
    "apis": [
        {
            "protocol": "http",
            "url": "/",
            "method": "POST",
            "request": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
            },
            "response": {
                "Content-type": "application/json",
                "data": {"type": "object", "properties": {"label": {"type": "integer"}}, "required": ["label"]},
            },
        }
    ],
    "health": {"url": "/health", "initial_delay_seconds": "1", "period_seconds": "1", "failure_threshold": "3"},
}


def config(document=CONFIG):
    return ModelConfig.parse(json.dumps(document).encode())


@pytest.fixture
def tried(engine, double):
    """Give what a trial of a double says, by the names of the evidence; nothing may be left of it."""

    def trial(name, *wanted, wish=None, health=CONFIG["health"], **image):
        asked = config({**CONFIG, "health": health})
        made = Trial(engine, double(name, **image), wish=wish or Wish(), edition=edition("otc-2022"), config=asked)
        with made as trial:
            seen = [getattr(trial, name) for name in wanted]
        mine = f"{OWNER_LABEL}={Owner.me()}"
        assert not engine.containers(label=mine)
        assert not engine.api.networks(filters={"label": mine})
        return seen

    return trial


@pytest.mark.engine
def test_what_comes_up_is_looked_at_and_asked(tried):
    start, health, repeats = tried("keeps_the_contract", "start", "health", "repeats")
    assert start.ready
    assert start.command == ("python3", "-u", "/double.py")
    assert [str(one) for one in start.listeners] == ["0.0.0.0:8080"]
    assert start.memory_bytes > 1 << 20
    assert start.termination is Termination.CAUGHT
    assert start.spoken == "http"
    assert start.caged == ""
    assert health.first.body == '{"health": "true"}'
    assert health.busy_asked
    assert not health.busy_late
    assert [one.differing for one in repeats] == [""]


def by_command(command, **more):
    return {**CONFIG["health"], "url": "", "check_method": "EXEC", "command": command, **more}


@pytest.mark.engine
def test_a_health_command_is_run_while_calls_are_made(tried):
    (health,) = tried("has_no_health", "health", health=by_command("echo well; test -f /double.py"))
    assert health.question == "the health command 'echo well; test -f /double.py'"
    assert health.declared
    assert (health.first.status, health.first.body) == (200, "well")
    assert health.busy_asked
    assert (health.busy_late, health.busy_failed) == (0, 0)


@pytest.mark.engine
def test_a_health_command_that_fails_or_waits_while_it_predicts_is_seen_to(tried):
    (unwell,) = tried("unwell_while_busy", "health", health=by_command("test -e /tmp/well"))
    assert unwell.busy_failed
    asking = "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/health')"
    (waiting,) = tried("blocks_health", "health", health=by_command(f'python3 -c "{asking}"', timeout_seconds="1"))
    assert waiting.busy_late
    assert waiting.busy_slowest_seconds >= 1


def test_a_health_command_is_not_asked_of_a_server_that_runs_elsewhere(server):
    document = {**CONFIG, "health": by_command("test -f /double.py")}
    with server_trial(server, document=document) as trial, pytest.raises(NotAsked, match="its container"):
        _ = trial.health


@pytest.mark.engine
def test_what_does_not_come_up_is_told_once_and_keeps_all_else_unknown(engine, double):
    trial = Trial(engine, double("exits_at_once"), wish=Wish(), edition=edition("otc-2022"), config=config())
    with trial:
        assert not trial.start.ready
        assert trial.start.diagnosis.log_tail == ("no weights in /models: giving up",)
        for name in ("health", "calls", "bodies", "repeats", "growth", "idle", "logs", "ending"):
            with pytest.raises(NotKnown, match="it did not become ready: exited"):
                getattr(trial, name)


@pytest.mark.engine
def test_a_batch_image_is_started_through_its_boot_file_unless_it_is_started_so_anyway(engine, double):
    files = {"/home/run.sh": b"exec python3 -u /double.py\n"}
    own = double("keeps_the_contract", files=files, command=("sh", "/home/run.sh"))
    other = double("keeps_the_contract", files=files)
    wish = Wish(kind=Kind.BOTH)
    with Trial(engine, own, wish=wish, edition=edition(), config=config()) as trial:
        assert trial.boot is trial.start
    with Trial(engine, other, wish=wish, edition=edition(), config=config()) as trial:
        assert trial.boot.ready
        assert trial.boot.command == ("/bin/sh", "/home/run.sh")
    with Trial(engine, other, wish=Wish(), edition=edition(), config=config()) as trial, pytest.raises(NotAsked):
        _ = trial.boot


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == "/base/health" else 404, {"health": "true"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.answer(200, {"label": len(json.loads(body)["text"])})
        except (ValueError, KeyError, TypeError):
            self.answer(500, {"reason": "bug"})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """The URL of a server that runs already, below a path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/base"
        serving.shutdown()
        thread.join()


def server_trial(url, *, name="otc-2022", document=CONFIG):
    return ServerTrial(url, wish=Wish(), edition=edition(name), config=document and config(document), wait_seconds=1)


def test_a_running_server_is_asked_and_left_in_peace(server):
    with server_trial(server) as trial:
        assert trial.start.ready
        calls, bodies, idle = trial.calls, trial.bodies, trial.idle
        valid = [one for one in calls.exchanges if one.purpose is not Purpose.INVALID]
        assert all(one.accepted and not one.faults for one in valid)
        failing = {one.sent for one in calls.exchanges if one.status == 500}
        assert "JSON without 'text'" in failing
        assert (bodies.under.outcome, bodies.over.outcome, bodies.alive_after) == ("200", "200", True)
        assert idle.closes
        assert idle.server.startswith("BaseHTTP")
        for name in ("growth", "logs", "ending", "boot"):
            with pytest.raises(NotAsked, match="a running server is not"):
                getattr(trial, name)


def test_where_the_edition_names_no_largest_body_none_is_sent(server):
    with server_trial(server, name="huawei-2021") as trial, pytest.raises(NotStated):
        _ = trial.bodies


def test_a_server_without_config_shows_its_health_and_no_apis(server):
    with server_trial(server, document=None) as trial:
        assert trial.health.first.ok
        with pytest.raises(NotKnown, match=r"no config\.json"):
            _ = trial.calls


def test_a_server_that_is_not_well_is_diagnosed(server):
    with server_trial(f"{server}/elsewhere") as trial:
        assert not trial.start.ready
        assert trial.start.diagnosis.cause == "health-missing"
        with pytest.raises(NotKnown, match="it is not ready: health-missing"):
            _ = trial.calls


def test_a_url_where_nobody_answers_cannot_be_looked_at(server):
    nobody = "http://127.0.0.1:1"
    with server_trial(nobody) as trial, pytest.raises(Unavailable, match=f"nobody answers at {nobody}"):
        _ = trial.start
