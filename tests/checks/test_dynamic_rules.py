"""The rules about a running image: what they say of what was seen, beyond their own examples."""

import inspect
import re
from dataclasses import replace

import pytest

from mooring.checks import Evidence, Kind, NotKnown, Status, Wish, catalogue, rule_named
from mooring.checks.run import judged
from mooring.checks.trial.blame import SPEAKERS
from mooring.checks.trial.sightings import (
    Bodies,
    Calls,
    Ending,
    Exchange,
    GrowingFile,
    Growth,
    HealthWatch,
    Idle,
    Logs,
    Purpose,
    Repeats,
    Start,
    Termination,
)
from mooring.contract import Level, ModelConfig, edition
from mooring.engine import Answer, Diagnosis, Listener, exits, loading, silence
from mooring.engine.probe import Outcome

MIB = 2**20
CAUSES = sorted(
    {
        name
        for module in (exits, loading, silence)
        for name in re.findall(r'name="([a-z-]+)"', inspect.getsource(module))
    }
)
ROLLING = Wish(rolling_upgrade=True)


def judge(name, *, of="otc-2022", wish=None, **evidence):
    wish = wish or Wish(kind=Kind.BOTH)
    given = {"edition": edition(of), "wish": wish, **evidence}
    return judged(rule_named(name), Evidence({key: (lambda value=value: value) for key, value in given.items()}), wish)


def levels(result):
    return [finding.level for finding in result.findings]


def failed(cause, **seen):
    diagnosis = Diagnosis(
        cause=cause, seen="what was seen", expected="what was not", advice="what to do", log_tail=("last words",)
    )
    return Start(command=("sh", "/home/run.sh"), ready=False, seconds=60.0, diagnosis=diagnosis, **seen)


def exchange(purpose, status=0, **more):
    outcome = more.pop("outcome", str(status))
    return Exchange(api="POST /", purpose=purpose, sent="something", outcome=outcome, status=status, **more)


def calls(*exchanges, death=""):
    return Calls(exchanges=exchanges, death=death)


WELL = Answer(Outcome.ANSWERED, status=200, body='{"health": "true"}')
HEALTHY = HealthWatch(url="/health", declared=True, first=WELL, content_type="application/json", limit_seconds=3.0)
ENDED = Ending(
    termination=Termination.CAUGHT,
    in_flight=4,
    in_flight_lost=0,
    arrived=20,
    arrived_lost=0,
    answered_seconds=10.0,
    watched_seconds=10.0,
    watched_whole=False,
)


STARTED = Start(command=("python3", "-u", "server.py"), ready=True, seconds=2.0)


def not_ready():
    raise NotKnown("it did not become ready")


@pytest.mark.parametrize("cause", CAUSES)
def test_a_container_that_is_not_ready_is_told_by_one_rule_and_all_others_do_not_know(cause):
    start = failed(cause, listeners=(Listener(8000, "0.0.0.0"),))
    config = ModelConfig.parse(b'{"apis": []}')
    known = {"edition": edition(), "wish": Wish(), "start": start, "config": config}
    unknown = ("health", "calls", "bodies", "repeats", "growth", "idle", "logs", "ending")
    evidence = Evidence(
        {key: (lambda value=value: value) for key, value in known.items()} | dict.fromkeys(unknown, not_ready)
    )
    running = [rule for rule in catalogue() if rule.id.startswith("RUN-")]
    found = {rule.id: judged(rule, evidence, Wish()) for rule in running}
    telling = [name for name, result in found.items() if result.status is Status.FAILED]
    assert telling == [SPEAKERS.get(cause, "RUN-START-01")]
    assert found[telling[0]].findings[0].level is Level.MUST
    assert not [name for name, result in found.items() if result.status is Status.PASSED]


def test_the_causes_that_have_a_rule_of_their_own_are_causes_that_the_engine_names():
    assert set(SPEAKERS) <= set(CAUSES)


def test_of_a_health_command_only_what_a_command_can_tell_is_judged():
    busy = replace(HEALTHY, url="", command="test -f /ready", busy_asked=4, busy_failed=1, premature_seconds=2.0)
    found = {
        name: judge(name, of="otc-2024", health=busy) for name in sorted(map("RUN-HEALTH-0{}".format, (2, 3, 4, 5)))
    }
    assert [result.status for result in found.values()] == [
        Status.SKIPPED,
        Status.FAILED,
        Status.FAILED,
        Status.SKIPPED,
    ]
    assert "the health command 'test -f /ready' says that it is well" in found["RUN-HEALTH-03"].findings[0].message
    assert (
        found["RUN-HEALTH-04"]
        .findings[0]
        .message.startswith("of 4 runs of the health command 'test -f /ready' during calls 1 failed; the slowest took")
    )
    assert found["RUN-HEALTH-04"].findings[0].expected.startswith("exit code 0 within 3 s")


def test_the_last_words_of_a_container_that_ended_are_in_what_is_said_of_it():
    assert "| last words" in judge("RUN-START-01", start=failed("exited")).findings[0].message


@pytest.mark.parametrize(("of", "may_be_named"), [("otc-2022", False), ("otc-2024", True)])
def test_another_port_may_be_named_instead_where_the_edition_lets_it(of, may_be_named):
    start = failed("listens-on-another-port", listeners=(Listener(8000, "0.0.0.0"),))
    assert ("name port 8000" in judge("RUN-PORT-01", of=of, start=start).findings[0].hint) is may_be_named


def test_plain_http_where_https_is_declared_is_a_matter_of_the_protocol_though_connections_are_dropped():
    start = failed("drops-connections", spoken="http", declared_protocol="https")
    assert "speaks http, and config.json declares https" in judge("RUN-PROTO-01", start=start).findings[0].message
    assert judge("RUN-START-01", start=start).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("health", "of", "seconds", "status"),
    [
        ("{}", "otc-2024", 35, Status.PASSED),
        ("{}", "otc-2024", 37, Status.FAILED),
        ("{}", "otc-2022", 29, Status.PASSED),
        ("{}", "otc-2022", 31, Status.FAILED),
        ('{"initial_delay_seconds": "60"}', "otc-2024", 59, Status.PASSED),
        (
            '{"initial_delay_seconds": "1", "period_seconds": "1", "failure_threshold": "2"}',
            "otc-2024",
            4,
            Status.FAILED,
        ),
    ],
)
def test_a_start_may_take_half_as_long_as_the_probes_bear(health, of, seconds, status):
    config = ModelConfig.parse(f'{{"apis": [], "health": {health}}}'.encode())
    start = Start(command=(), ready=True, seconds=float(seconds))
    assert judge("RUN-START-02", of=of, start=start, config=config).status is status


@pytest.mark.parametrize(("declared", "level"), [(True, Level.MUST), (False, Level.SHOULD)])
def test_late_health_is_graver_where_the_platform_was_told_to_ask_for_it(declared, level):
    busy = replace(HEALTHY, declared=declared, busy_asked=6, busy_late=2, busy_slowest_seconds=7.0)
    assert levels(judge("RUN-HEALTH-04", health=busy)) == [level]


def test_health_that_nobody_asked_during_a_call_is_not_known_to_answer_in_time():
    assert judge("RUN-HEALTH-04", health=HEALTHY).status is Status.UNKNOWN


@pytest.mark.parametrize("body", ['{"health":"true"}', '{ "health" : "true" }'])
def test_spaces_make_no_other_health_body(body):
    assert not judge("RUN-HEALTH-02", health=replace(HEALTHY, first=replace(WELL, body=body))).findings


@pytest.mark.parametrize("body", ["OK", "[" * 60_000])
def test_another_health_body_is_worth_a_remark_only(body):
    result = judge("RUN-HEALTH-02", health=replace(HEALTHY, first=replace(WELL, body=body)))
    assert (result.status, levels(result)) == (Status.PASSED, [Level.INFO])


def test_an_upgrade_without_interruption_needs_a_health_url_also_where_it_is_optional():
    bare = replace(HEALTHY, declared=False, first=Answer(Outcome.ANSWERED, status=404))
    result = judge("RUN-HEALTH-05", of="huawei-2023", wish=ROLLING, health=bare)
    assert (result.level, result.status) == (Level.MUST, Status.FAILED)


def test_an_api_that_answers_anything_but_404_once_is_there():
    seen = calls(exchange(Purpose.EXAMPLE, 404), exchange(Purpose.INVALID, 400))
    assert judge("RUN-API-01", calls=seen).status is Status.PASSED


def test_an_api_that_is_missing_is_told_once():
    seen = calls(exchange(Purpose.EXAMPLE, 404), exchange(Purpose.INVALID, 404), exchange(Purpose.INVALID, 501))
    telling = [
        name
        for name in ("RUN-API-01", "RUN-API-02", "RUN-API-03", "RUN-API-04", "RUN-API-05")
        if judge(name, calls=seen).status is Status.FAILED
    ]
    assert telling == ["RUN-API-01"]


@pytest.mark.parametrize("status", [404, 405])
def test_of_an_api_that_is_missing_nothing_else_is_known(status):
    seen = calls(exchange(Purpose.EXAMPLE, status), exchange(Purpose.INVALID, status))
    bodies = Bodies(
        limit_bytes=12 * MIB,
        under=exchange(Purpose.SIZE, status),
        over=exchange(Purpose.SIZE, status),
        alive_after=True,
    )
    others = ("RUN-API-02", "RUN-API-03", "RUN-API-04", "RUN-API-05", "RUN-TIME-01", "RUN-BODY-01", "RUN-BODY-02")
    for name in others:
        result = judge(name, of="otc-2024", calls=seen, bodies=bodies)
        assert (result.status, result.why) == (Status.UNKNOWN, "POST / is not there; RUN-API-01 says more"), name


def test_the_memory_of_a_server_that_was_not_started_here_is_nobodys_business():
    running = judge("RUN-START-03", start=Start(command=(), ready=True, seconds=0.1))
    assert (running.status, running.why) == (Status.SKIPPED, "a running server is not looked into")
    assert judge("RUN-START-03", start=STARTED).status is Status.UNKNOWN


def test_where_no_request_was_answered_before_the_end_the_end_is_the_reason():
    seen = calls(exchange(Purpose.EXAMPLE, outcome="closed"), death="exit code 1, after POST / with an example")
    for name in ("RUN-API-02", "RUN-API-04", "RUN-API-05"):
        assert judge(name, calls=seen).why.startswith("exit code 1")


def test_a_config_from_which_no_bad_request_can_be_made_leaves_unknown_what_becomes_of_one():
    for name in ("RUN-API-04", "RUN-API-05"):
        assert "no invalid request could be made" in judge(name, calls=calls(exchange(Purpose.EXAMPLE, 200))).why


def test_an_error_told_with_200_to_a_valid_request_is_told_before_any_other():
    faults = ("it has none of the fields that config.json declares (label)",)
    good = exchange(Purpose.EXAMPLE, 200, body='{"error": "no such key"}', faults=faults)
    lenient = exchange(Purpose.INVALID, 200, body='{"error": "no such key"}', faults=faults)
    result = judge("RUN-API-05", calls=calls(good, lenient))
    assert (result.status, len(result.findings)) == (Status.FAILED, 1)
    assert "for what failed" in result.findings[0].expected
    assert judge("RUN-API-05", calls=calls(good)).status is Status.FAILED
    assert judge("RUN-API-03", calls=calls(good)).status is Status.FAILED


@pytest.mark.parametrize("body", ['{"error": null, "label": 7}', '{"label": 7, "errors": [] , "failed": false}'])
def test_a_field_that_says_that_there_is_no_error_tells_of_none(body):
    seen = calls(exchange(Purpose.INVALID, 200, body=body))
    assert levels(judge("RUN-API-05", calls=seen)) == [Level.INFO]


def test_a_model_may_answer_a_valid_request_with_words_of_failure():
    good = exchange(Purpose.EXAMPLE, 200, body='{"label": "engine error"}')
    refused = exchange(Purpose.INVALID, 400)
    assert judge("RUN-API-05", calls=calls(good, refused)).status is Status.PASSED


def test_a_file_of_ours_that_is_refused_proves_nothing_and_a_sample_is_asked_for():
    result = judge("RUN-API-02", calls=calls(exchange(Purpose.EXAMPLE, 400, file_made_up=True)))
    assert result.status is Status.UNKNOWN
    assert "--sample" in result.why


def test_a_sample_that_is_taken_settles_it():
    seen = calls(exchange(Purpose.EXAMPLE, 400, file_made_up=True), exchange(Purpose.SAMPLE, 200))
    assert judge("RUN-API-02", calls=seen).status is Status.PASSED


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (exchange(Purpose.EXAMPLE, outcome="hung", seconds=60.0), Level.MUST),
        (exchange(Purpose.SAMPLE, 502), Level.MUST),
        (exchange(Purpose.BOUNDARY, 500), Level.SHOULD),
        (exchange(Purpose.EXAMPLE, 500, file_made_up=True), Level.SHOULD),
        (exchange(Purpose.EXAMPLE, 401), Level.SHOULD),
        (exchange(Purpose.BOUNDARY, 422), Level.INFO),
    ],
    ids=lambda value: f"{value.purpose}-{value.outcome}" if isinstance(value, Exchange) else str(value),
)
def test_what_becomes_of_a_valid_request_weighs_as_much_as_callers_will_feel_it(seen, level):
    assert levels(judge("RUN-API-02", calls=calls(exchange(Purpose.EXAMPLE, 200), seen))) == [level]


def test_requests_that_died_with_the_container_are_told_by_its_death_alone():
    seen = calls(
        exchange(Purpose.EXAMPLE, 200),
        exchange(Purpose.INVALID, outcome="closed"),
        exchange(Purpose.BOUNDARY, outcome="refused"),
        death="exit code 1, after POST / with a body that is no JSON",
    )
    assert "exit code 1" in judge("RUN-API-06", calls=seen).findings[0].message
    for name in ("RUN-API-02", "RUN-API-04"):
        assert judge(name, calls=seen).status is not Status.FAILED


def test_an_api_that_always_fails_is_not_blamed_for_bad_requests_too():
    seen = calls(exchange(Purpose.EXAMPLE, 500), exchange(Purpose.INVALID, 500))
    assert judge("RUN-API-04", calls=seen).status is Status.UNKNOWN


def test_a_server_may_say_that_it_does_not_implement_a_method():
    seen = calls(exchange(Purpose.EXAMPLE, 200), exchange(Purpose.INVALID, 501))
    assert judge("RUN-API-04", calls=seen).status is Status.PASSED


@pytest.mark.parametrize("outcome", ["hung", "closed", "garbled"])
def test_no_answer_to_a_bad_request_is_as_bad_as_a_500(outcome):
    seen = calls(exchange(Purpose.EXAMPLE, 200), exchange(Purpose.INVALID, outcome=outcome))
    assert judge("RUN-API-04", calls=seen).status is Status.FAILED


def test_a_server_that_takes_more_than_the_schema_allows_is_told_so_in_passing():
    seen = calls(exchange(Purpose.INVALID, 200, body='{"mnist_result": 7}'))
    result = judge("RUN-API-05", calls=seen)
    assert (result.status, levels(result)) == (Status.PASSED, [Level.INFO])


def test_answers_that_are_never_as_declared_are_no_errors_with_status_200():
    faults = ("the field 'mnist_result' is missing",)
    seen = calls(exchange(Purpose.EXAMPLE, 200, faults=faults), exchange(Purpose.INVALID, 200, faults=faults))
    assert judge("RUN-API-05", calls=seen).status is Status.PASSED
    odd = calls(exchange(Purpose.EXAMPLE, 200), exchange(Purpose.INVALID, 200, faults=faults))
    assert judge("RUN-API-05", calls=odd).status is Status.FAILED


@pytest.mark.parametrize("body", ["Error: no JSON", '{"mnist_result": -1, "error": "x"}', "KeyError\nTraceback (most"])
def test_an_error_with_status_200_is_known_by_its_words(body):
    assert judge("RUN-API-05", calls=calls(exchange(Purpose.INVALID, 200, body=body))).status is Status.FAILED


def test_one_faulty_answer_is_told_once_for_its_api():
    faulty = exchange(Purpose.EXAMPLE, 200, faults=("mnist_result is missing",))
    assert len(judge("RUN-API-03", calls=calls(faulty, replace(faulty, purpose=Purpose.BOUNDARY))).findings) == 1


@pytest.mark.parametrize(
    ("of", "seconds", "found"),
    [
        ("otc-2024", 25.0, []),
        ("otc-2024", 35.0, [Level.SHOULD]),
        ("otc-2024", 41.0, [Level.MUST]),
        ("huawei-2024", 41.0, [Level.MUST]),
    ],
)
def test_answers_are_measured_against_the_smallest_limit_that_is_stated(of, seconds, found):
    assert levels(judge("RUN-TIME-01", of=of, calls=calls(exchange(Purpose.EXAMPLE, 200, seconds=seconds)))) == found


def test_an_edition_without_a_time_limit_measures_no_answer():
    seen = calls(exchange(Purpose.EXAMPLE, 200, seconds=500.0))
    assert judge("RUN-TIME-01", of="otc-2022", calls=seen).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("small", "under", "alive", "found"),
    [
        (200, exchange(Purpose.SIZE, 413), True, [Level.SHOULD]),
        (200, exchange(Purpose.SIZE, outcome="hung"), True, [Level.MUST]),
        (200, exchange(Purpose.SIZE, outcome="closed"), False, [Level.MUST]),
        (200, exchange(Purpose.SIZE, 422), True, []),
        (500, exchange(Purpose.SIZE, 500), True, []),
    ],
)
def test_a_large_body_may_be_judged_wrong_but_not_too_large(small, under, alive, found):
    bodies = Bodies(limit_bytes=12 * MIB, under=under, over=None, alive_after=alive)
    assert levels(judge("RUN-BODY-01", calls=calls(exchange(Purpose.EXAMPLE, small)), bodies=bodies)) == found


@pytest.mark.parametrize("outcome", ["closed", "413", "200"])
def test_a_body_that_is_too_large_may_be_answered_in_any_way_but_silence(outcome):
    status = int(outcome) if outcome.isdigit() else 0
    over = exchange(Purpose.SIZE, status, outcome=outcome)
    bodies = Bodies(limit_bytes=12 * MIB, under=exchange(Purpose.SIZE, 200), over=over, alive_after=True)
    assert judge("RUN-BODY-02", calls=calls(exchange(Purpose.EXAMPLE, 200)), bodies=bodies).status is Status.PASSED


@pytest.mark.parametrize("logs", [Logs(lines_out=0, lines_err=20), Logs(lines_out=0, lines_err=0)])
def test_a_log_on_standard_error_and_none_at_all_are_worth_a_remark(logs):
    result = judge("RUN-LOG-01", logs=logs)
    assert (result.status, levels(result)) == (Status.PASSED, [Level.INFO])


@pytest.mark.parametrize(
    ("out", "err", "telling"),
    [(0, 0, "RUN-LOG-01"), (0, 9, "RUN-LOG-01"), (0, 300, "RUN-LOG-03"), (1, 0, "RUN-LOG-03"), (300, 0, "RUN-LOG-03")],
)
def test_a_log_file_that_grows_is_told_once_and_graver_where_it_is_all_there_is(out, err, telling):
    logs = Logs(lines_out=out, lines_err=err, growing_files=(GrowingFile(path="/srv/app.log", bytes_grown=9000),))
    found = {name: judge(name, logs=logs).status for name in ("RUN-LOG-01", "RUN-LOG-03")}
    assert [name for name, status in found.items() if status is Status.FAILED] == [telling]


@pytest.mark.parametrize(("held", "level"), [(False, Level.MUST), (True, Level.SHOULD)])
def test_a_log_file_weighs_less_where_the_same_lines_may_have_been_held_back(held, level):
    files = (GrowingFile(path="/srv/app.log", bytes_grown=9000),)
    result = judge("RUN-LOG-01", logs=Logs(lines_out=0, lines_err=0, growing_files=files, may_hold_back=held))
    assert levels(result) == [level]
    assert ("it writes nothing" in result.findings[0].message) is not held
    assert ("PYTHONUNBUFFERED" in result.findings[0].hint) is held


def test_a_server_that_ignores_sigterm_is_told_so_and_nothing_else():
    deaf = replace(ENDED, termination=Termination.IGNORED)
    found = {
        name: judge(name, of="otc-2024", wish=ROLLING, ending=deaf, start=STARTED)
        for name in ("RUN-TERM-01", "RUN-TERM-02", "RUN-TERM-03", "RUN-TERM-04")
    }
    assert [name for name, result in found.items() if result.status is Status.FAILED] == ["RUN-TERM-01"]
    assert found["RUN-TERM-01"].level is Level.MUST


@pytest.mark.parametrize(
    ("command", "advised", "not_advised"),
    [
        (("python3", "-u", "server.py"), "install a handler in the program: signal.signal", "exec"),
        (("/usr/bin/node", "server.js"), 'process.on("SIGTERM"', "exec"),
        (("/app/server",), "in server", "exec"),
        (("/bin/sh", "-c", "python3 server.py"), "exec python3 server.py", "pipe"),
        (("/bin/sh", "-c", "python3 server.py | tee /tmp/log"), "do without the pipe", "the program:"),
        (("/home/run.sh",), "in a pipe", "the program:"),
    ],
)
def test_the_way_to_heed_sigterm_is_that_of_the_first_process(command, advised, not_advised):
    deaf = replace(ENDED, termination=Termination.IGNORED)
    result = judge("RUN-TERM-01", of="otc-2024", ending=deaf, start=replace(STARTED, command=command))
    assert advised in result.findings[0].hint
    assert not_advised not in result.findings[0].hint


@pytest.mark.parametrize(
    ("server", "advised"),
    [
        ("BaseHTTP/0.6 Python/3.11.2", 'protocol_version = "HTTP/1.1"'),
        ("Werkzeug/3.0 Python/3.11.2", "development server"),
        ("uvicorn", "--timeout-keep-alive 200"),
        ("gunicorn", "-k gevent"),
        ("nginx/1.25", "nginx.conf"),
        ("", "uvicorn --timeout-keep-alive 200; gunicorn"),
    ],
)
def test_keeping_connections_open_is_set_where_the_server_that_answers_has_it(server, advised):
    idle = Idle(seconds=10.0, usable=False, closes=True, server=server)
    assert advised in judge("RUN-KEEP-01", of="otc-2024", idle=idle).findings[0].hint


def test_only_an_upgrade_without_interruption_asks_for_a_linger_and_a_drain():
    for name in ("RUN-TERM-03", "RUN-TERM-04"):
        assert judge(name, of="otc-2024", ending=ENDED).status is Status.SKIPPED
        assert judge(name, of="otc-2022", wish=ROLLING, ending=ENDED).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("exited", "refused", "lost", "found"),
    [
        (1.0, 0, 0, [Level.INFO]),
        (1.0, 5, 5, [Level.SHOULD]),
        (1.0, 4, 5, [Level.MUST]),
        (20.0, 5, 5, [Level.MUST]),
        (None, 5, 5, [Level.MUST]),
    ],
)
def test_to_end_early_weighs_less_than_to_stay_and_not_answer(exited, refused, lost, found):
    ending = replace(ENDED, arrived_lost=lost, arrived_refused=refused, answered_seconds=0.3, exited_seconds=exited)
    assert levels(judge("RUN-TERM-03", of="otc-2024", wish=ROLLING, ending=ending)) == found


def test_an_end_that_was_not_watched_to_the_limit_is_not_known_to_come():
    assert judge("RUN-TERM-04", of="otc-2024", wish=ROLLING, ending=ENDED).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("idle", "status", "said"),
    [
        (Idle(seconds=10.0, usable=False, closes=True), Status.FAILED, "after one answer"),
        (Idle(seconds=10.0, usable=False, server="uvicorn"), Status.FAILED, "(measured); Server: uvicorn"),
        (Idle(seconds=10.0, usable=True, announced_seconds=75.0), Status.FAILED, "timeout=75 (not waited for"),
        (Idle(seconds=10.0, usable=True), Status.PASSED, "is inferred"),
        (Idle(seconds=10.0, usable=True, announced_seconds=200.0), Status.PASSED, "is what the server announces"),
    ],
)
def test_what_was_measured_of_an_idle_connection_is_told_from_what_is_inferred(idle, status, said):
    result = judge("RUN-KEEP-01", of="otc-2024", idle=idle)
    assert result.status is status
    assert said in result.findings[0].message


def test_a_connection_that_was_watched_to_the_end_needs_no_remark():
    assert not judge("RUN-KEEP-01", of="otc-2024", idle=Idle(seconds=200.0, usable=True)).findings


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [(30, 36, Status.PASSED), (30, 50, Status.FAILED), (4000, 4100, Status.PASSED), (4000, 4400, Status.FAILED)],
)
def test_a_leak_is_more_than_the_noise_of_a_process_of_that_size(before, after, status):
    growth = Growth(calls=200, before_bytes=before * MIB, after_bytes=after * MIB)
    assert judge("RUN-MEM-01", growth=growth).status is status


@pytest.mark.parametrize(("of_the_call", "level"), [(True, Level.INFO), (False, Level.SHOULD)])
def test_times_and_ids_may_differ_and_results_may_not(of_the_call, level):
    repeats = (Repeats(api="POST /", differing="some.field", of_the_call=of_the_call),)
    assert levels(judge("RUN-REPEAT-01", repeats=repeats)) == [level]
