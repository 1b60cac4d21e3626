"""How long a server that does not answer is asked."""

import http.server
import json
import threading

import pytest

from mooring.checks import NotKnown, Wish
from mooring.checks.trial import calling
from mooring.checks.trial.calling import Caller
from mooring.checks.trial.expecting import Expected
from mooring.checks.trial.experiments import Experiments
from mooring.contract import ModelConfig, edition
from mooring.engine.wire import Request, Target

FIELDS = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


def config(*urls):
    form = {"Content-type": "application/json", "data": FIELDS}
    apis = [{"protocol": "http", "url": url, "method": "POST", "request": form, "response": form} for url in urls]
    return ModelConfig.parse(json.dumps({"model_algorithm": "x", "model_type": "Image", "apis": apis}).encode())


@pytest.fixture
def hanging():
    """A server that answers health, and anything else when the test is over."""
    over = threading.Event()

    class Hanging(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self):
            over.wait(60)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hanging) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.05,))
        thread.start()
        yield Target("127.0.0.1", serving.server_port)
        over.set()
        serving.shutdown()
        thread.join()


def caller(target, *, limit, budget):
    return Caller(target, ended=lambda: "", limit_seconds=limit, budget_seconds=budget)


def test_once_an_answer_has_not_come_others_get_less_time(hanging, monkeypatch):
    monkeypatch.setattr(calling, "HURRIED_SECONDS", 0.1)
    asking = caller(hanging, limit=0.3, budget=60)
    assert asking.ask(Request("GET", "/health"), timeout_seconds=0.3).outcome == "200"
    assert asking.limit_seconds == 0.3
    assert asking.ask(Request("POST", "/"), timeout_seconds=0.2).outcome == "hung"
    assert asking.limit_seconds == 0.3
    assert asking.ask(Request("POST", "/")).outcome == "hung"
    assert asking.limit_seconds == 0.1
    assert not asking.spent


def test_when_the_time_for_all_answers_is_over_nothing_more_is_asked_and_that_is_said(hanging):
    asking = caller(hanging, limit=0.3, budget=0.5)
    experiments = Experiments(asking, Expected(config("/a", "/b", "/c", "/d", "/e"), edition("otc-2022")), Wish())
    experiments.begin()
    experiments.ask_valid()
    assert 0 < len(experiments.calls().exchanges) < 5
    assert experiments.hangs
    assert experiments.health().first.ok
    for stage in (experiments.ask_bad, experiments.send_largest):
        with pytest.raises(NotKnown, match="not asked: the answers to other requests took more than"):
            stage()
    assert "not asked" in experiments.calls().cut
    experiments.stop()
