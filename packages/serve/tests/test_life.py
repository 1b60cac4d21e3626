"""The life of a server: loading, health, dying workers, back-pressure, time limits, signals. All for real."""

import concurrent.futures
import contextlib
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

import pytest
from served import answer_of, until

SLOW = """
    import ctypes, os, time
    from mooring_serve import Handler

    class Slow(Handler):
        def predict(self, x):
            if x < 0:  # holds the interpreter's lock, as native code may
                ctypes.PyDLL(None).usleep(int(-x * 1e6))
            else:
                time.sleep(x)
            return {"slept": x, "pid": os.getpid()}
"""


def health(served):
    status, body, _ = served.ask("GET", "/health")
    return status, body


def test_health_is_503_with_a_reason_while_loading_and_200_when_ready(project, serve):
    folder = project("""
        import os, time
        from mooring_serve import Handler

        class Loading(Handler):
            def setup(self, model_dir):
                assert model_dir.is_dir()
                while not os.path.exists(model_dir / "go"):
                    time.sleep(0.01)
            def predict(self, x):
                return x
    """)
    served = serve(folder)
    status, body = health(served)
    assert (status, body["health"]) == (503, "false")
    assert "loading" in body["reason"]
    status, body, headers = served.json("/", {"x": 1})
    assert (status, body["error_code"]) == (503, "NOT_READY")
    assert headers["retry-after"]
    (folder / "model" / "go").touch()
    served.ready()
    assert health(served) == (200, {"health": "true"})


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def predict(x): pass", "handler.py must define one class"),
        ("def :", "SyntaxError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("from mooring_serve import Handler\nclass A(Handler):\n  def predict(self, y): pass", "declares the fields x"),
        ("from mooring_serve import Handler\nclass A(Handler):\n  pass", "needs the method 'predict'"),
        ("import os; os._exit(7)", "exited with code 7"),
    ],
)
def test_health_says_why_loading_failed(project, serve, code, said):
    served = serve(project(code))
    until(lambda: said in health(served)[1].get("reason", ""), f"health says {said!r}, not {health(served)}")
    assert health(served)[0] == 503
    assert said in served.json("/", {"x": 1})[1]["error_msg"]


def test_the_traceback_of_a_load_that_fails_again_and_again_is_logged_once(project, serve):
    served = serve(project("import no_such_package"))
    served.line(r"worker gone .*in 1 s")
    tracebacks = [line for line in served.log if "Traceback" in line]
    assert len(tracebacks) == 1
    assert "ERROR loading failed worker=0 traceback=" in tracebacks[0]
    assert "line 1" in tracebacks[0]


def test_a_load_that_failed_is_tried_again(project, serve):
    folder = project("""
        import os
        from mooring_serve import Handler

        class Later(Handler):
            def setup(self, model_dir):
                open(model_dir / "weights").close()
            def predict(self, x):
                return x
    """)
    served = serve(folder)
    until(lambda: "FileNotFoundError" in health(served)[1].get("reason", ""), "health names the error")
    (folder / "model" / "weights").touch()
    served.ready()


@pytest.mark.parametrize("x", [3, -3], ids=["sleeping", "holding the interpreter lock"])
def test_health_answers_at_once_while_a_predict_runs_for_3_seconds(project, serve, x):
    served = serve(project(SLOW)).ready()
    with concurrent.futures.ThreadPoolExecutor(1) as callers:
        call = callers.submit(served.json, "/", {"x": x})
        until(lambda: b"in_flight 1.0" in served.ask("GET", "/metrics")[1], "the call is in flight")
        times = []
        while not call.done():
            began = time.perf_counter()
            assert health(served)[0] == 200
            times.append(time.perf_counter() - began)
        assert call.result()[0] == 200
    assert statistics.median(times) < 0.1
    assert max(times) < 1.0, "a busy machine may be slower once; a blocked one takes 3 s"


def test_a_killed_worker_is_told_to_its_caller_and_replaced(project, serve):
    served = serve(project(SLOW)).ready()
    with concurrent.futures.ThreadPoolExecutor(1) as callers:
        call = callers.submit(served.json, "/", {"x": 20})
        until(lambda: b"in_flight 1.0" in served.ask("GET", "/metrics")[1], "the call is in flight")
        os.kill(served.workers()[0], signal.SIGKILL)
        status, body, _ = call.result(5)
    assert (status, body["error_code"]) == (502, "WORKER_DIED")
    assert "SIGKILL" in body["error_msg"]
    served.ready()
    assert served.json("/", {"x": 0})[0] == 200
    assert b"mooring_worker_restarts_total 1.0" in served.ask("GET", "/metrics")[1]


def test_health_tells_of_a_killed_worker_within_a_second(project, serve):
    served = serve(
        project(
            "import time; time.sleep(0.7)"
            "\n"
            "from mooring_serve import Handler\nclass A(Handler):\n  def predict(self, x): return x"
        )
    ).ready()
    os.kill(served.workers()[0], signal.SIGKILL)
    until(lambda: health(served)[0] == 503, "health says 503", seconds=1)
    until(lambda: "SIGKILL" in health(served)[1]["reason"], "health says how it ended", seconds=1)
    served.ready()


def test_a_worker_that_dies_at_once_is_started_with_growing_pauses(project, serve):
    served = serve(project("import os; os._exit(7)"))
    served.line(r"worker gone .*in 0\.5 s")
    served.line(r"worker gone .*in 1 s")
    assert len([line for line in served.log if "worker gone" in line]) <= 4


def test_calls_behind_a_dying_one_are_answered_by_the_next_worker(project, serve):
    code = """
        import os
        from mooring_serve import Handler

        class Fragile(Handler):
            def predict(self, x):
                if x == 13:
                    os._exit(1)
                return x
    """
    served = serve(project(code)).ready()
    for x in range(20):
        assert served.json("/", {"x": x * 100})[0] == 200
    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda x: served.json("/", {"x": x})[0], [1, 2, 13, 4, 5, 6, 7, 8]))
    assert answers.count(502) == 1
    assert answers[2] == 502
    assert set(answers) <= {200, 502, 503}, "503 only for those that came while there was no worker"


def test_several_workers_answer_side_by_side(project, serve):
    served = serve(project(SLOW), workers=2).ready()
    until(lambda: b"workers_ready 2.0" in served.ask("GET", "/metrics")[1], "both workers are ready")
    with concurrent.futures.ThreadPoolExecutor(2) as callers:
        pids = {body["pid"] for _, body, _ in callers.map(lambda x: served.json("/", {"x": x}), [0.5, 0.5])}
    assert len(pids) == 2


def test_a_full_queue_is_429_with_retry_after(project, serve):
    served = serve(project(SLOW), queue_size=2).ready()
    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: served.json("/", {"x": 0.5}), range(8)))
    statuses = sorted(status for status, _, _ in answers)
    assert statuses == [200] * 3 + [429] * 5, "one with the worker, two in the queue"
    _status, body, headers = next(answer for answer in answers if answer[0] == 429)
    assert body["error_code"] == "QUEUE_FULL"
    assert int(headers["retry-after"]) >= 1


def test_a_predict_over_the_time_limit_is_504_and_the_worker_is_replaced(project, serve):
    served = serve(project(SLOW), predict_timeout_seconds=0.5).ready()
    before = served.workers()
    began = time.monotonic()
    status, body, _ = served.json("/", {"x": -60})
    assert (status, body["error_code"]) == (504, "PREDICT_TIMEOUT")
    assert "0.5 s" in body["error_msg"]
    assert time.monotonic() - began < 30
    until(lambda: served.workers() not in ([], before), "a new worker is there")
    served.ready()
    assert served.json("/", {"x": 0})[0] == 200


def test_prints_of_the_user_and_of_native_code_come_out_line_by_line(project, serve):
    served = serve(
        project("""
        import logging, os, subprocess, sys
        from mooring_serve import Handler
        logging.basicConfig(level=logging.INFO)

        class Prints(Handler):
            def predict(self, x):
                print("from print", x)
                print("from stderr", file=sys.stderr)
                logging.info("from logging")
                subprocess.run(["echo", "from a child"])
                return x
    """)
    ).ready()
    served.json("/", {"x": 1})
    for said in ("from print 1", "from stderr", "from logging", "from a child"):
        served.line(said)
    assert not served.errors, "the platform shows standard output only"


def stop_while_calling(served, name, seconds):
    """Signal the server while callers go on; the statuses and `connection` headers they saw, and its exit code."""
    seen = []

    def caller():
        while True:
            try:
                status, _, headers = served.json("/", {"x": 0.01}, timeout=20)
            except ConnectionRefusedError:
                return
            seen.append((time.monotonic(), status, headers.get("connection")))

    with concurrent.futures.ThreadPoolExecutor(3) as callers:
        running = [callers.submit(caller) for _ in range(3)]
        until(lambda: len(seen) > 10, "callers are answered")
        signalled = time.monotonic()
        served.process.send_signal(name)
        for one in running:
            one.result(seconds + 15)
        code = served.process.wait(15)
    return seen, signalled, code


def test_sigterm_lingers_answers_everybody_and_exits_0(project, serve):
    served = serve(project(SLOW), linger_seconds=2, drain_limit_seconds=10).ready()
    with contextlib.closing(served.connection()) as idle:
        idle.request("GET", "/health")
        assert answer_of(idle.getresponse())[0] == 200
        seen, signalled, code = stop_while_calling(served, signal.SIGTERM, 2)
    assert code == 0
    assert {status for _, status, _ in seen} == {200}, "no caller is refused while it lingers"
    late = [connection for when, _, connection in seen if when > signalled + 0.5]
    assert late
    assert set(late) == {"close"}
    assert max(when for when, _, _ in seen) - signalled > 1.5
    served.line("INFO stopped unfinished=0")


def test_sigterm_finishes_what_is_in_hand_after_the_linger(project, serve):
    served = serve(project(SLOW), linger_seconds=0.2, drain_limit_seconds=20).ready()
    with concurrent.futures.ThreadPoolExecutor(1) as callers:
        call = callers.submit(served.json, "/", {"x": 2})
        until(lambda: b"in_flight 1.0" in served.ask("GET", "/metrics")[1], "the call is in flight")
        served.process.terminate()
        assert call.result()[0] == 200
    assert served.process.wait(30) == 0


def test_health_says_that_it_is_stopping(project, serve):
    served = serve(project(SLOW), linger_seconds=60).ready()
    served.process.terminate()
    served.line("INFO stopping")
    status, body = health(served)
    assert status == 503
    assert "SIGTERM" in body["reason"]
    served.process.terminate()  # a second one is in a hurry
    assert served.process.wait(20) == 0


def test_the_drain_limit_is_kept_though_a_predict_hangs(project, serve):
    served = serve(project(SLOW), linger_seconds=0.1, drain_limit_seconds=1).ready()
    with concurrent.futures.ThreadPoolExecutor(1) as callers:
        call = callers.submit(served.json, "/", {"x": -60}, timeout=30)
        until(lambda: b"in_flight 1.0" in served.ask("GET", "/metrics")[1], "the call is in flight")
        began = time.monotonic()
        served.process.terminate()
        assert served.process.wait(30) == 1, "not every caller was answered"
        assert time.monotonic() - began < 30
        assert call.exception(10) or call.result()[0] == 503


def test_ctrl_c_ends_it_at_once(project, serve):
    served = serve(project(SLOW)).ready()
    workers = served.workers()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(20) == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in workers)


def test_a_worker_that_ends_itself_is_not_said_to_have_been_killed(project, serve):
    code = """
        import os
        from mooring_serve import Handler

        class Ends(Handler):
            def predict(self, x):
                os._exit(3)
    """
    served = serve(project(code)).ready()
    assert "exited with code 3" in served.json("/", {"x": 1})[1]["error_msg"]
    served.line(r"worker gone .*exited with code 3")


def takes_sigterm(pid):
    """Whether a process has a handler for SIGTERM."""
    with open(f"/proc/{pid}/status") as status:
        caught = next(line for line in status if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1


@pytest.mark.parametrize("pause", [0, 0.05, 0.1, 0.2])
def test_sigterm_while_the_server_is_still_starting_is_not_lost(project, pause):
    server = subprocess.Popen(
        [sys.executable, "-m", "mooring_serve", str(project(SLOW))],
        env={**os.environ, "MOORING_PORT": "0", "MOORING_LINGER_SECONDS": "0.2"},
        stdout=subprocess.PIPE,
        text=True,
    )
    until(lambda: takes_sigterm(server.pid), "it takes signals")
    time.sleep(pause)  # at whatever moment of its start it comes
    server.terminate()
    said, _ = server.communicate(timeout=15)
    assert server.returncode == 0, said
    assert "stopping signal=SIGTERM" in said


def test_a_slow_reader_gets_the_whole_answer_though_the_server_stops(project, serve):
    code = """
        from mooring_serve import Handler

        class Long(Handler):
            def predict(self, x):
                return "y" * 30_000_000
    """
    served = serve(project(code), linger_seconds=0.1, drain_limit_seconds=20).ready()
    with contextlib.closing(served.connection()) as connection:
        connection.request("POST", "/", b'{"x": 1}')
        response = connection.getresponse()
        served.process.terminate()
        served.line("INFO stopping")
        time.sleep(1)  # slow, and longer than the linger
        assert len(response.read()) == 30_000_002
    assert served.process.wait(30) == 0


def test_requests_sent_before_sigterm_are_all_answered(project, serve):
    served = serve(project(SLOW), linger_seconds=0.2, drain_limit_seconds=20).ready()
    request = b'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{"x": 0.2}'
    half = socket.create_connection(("127.0.0.1", served.port), timeout=20)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line, half:
        half.sendall(request[:-4])
        line.sendall(request * 5)
        until(lambda: b"in_flight 1.0" in served.ask("GET", "/metrics")[1], "they are on the way")
        served.process.terminate()
        answer = b""
        while piece := line.recv(65536):
            answer += piece
        assert answer.count(b"HTTP/1.1 200 ") == 5
        half.sendall(request[-4:])
        assert b'"slept": 0.2' in half.recv(65536)
    assert served.process.wait(30) == 0


def test_a_killed_parent_leaves_no_worker_behind(project, serve):
    served = serve(project(SLOW)).ready()
    (worker,) = served.workers()
    served.process.kill()
    until(lambda: not os.path.exists(f"/proc/{worker}"), "the worker is gone")


def test_an_idle_connection_stays_open_for_the_keep_alive_time_and_no_longer(project, serve):
    served = serve(project(SLOW), keep_alive_seconds=1).ready()
    with contextlib.closing(served.connection()) as connection:
        for _ in range(3):
            connection.request("GET", "/health")
            assert answer_of(connection.getresponse())[0] == 200
            time.sleep(0.4)
        began = time.monotonic()
        assert connection.sock.recv(1) == b""
        assert time.monotonic() - began < 20


def test_settings_that_make_no_sense_are_told(project):
    for name, value, said in [
        ("MOORING_PORT", "http", "MOORING_PORT is 'http'; it takes a whole number"),
        ("MOORING_WORKERS", "0", "MOORING_WORKERS is 0; it takes a whole number from 1"),
        ("MOORING_DRAIN_LIMIT_SECONDS", "5", "less than MOORING_LINGER_SECONDS"),
    ]:
        ended = subprocess.run(
            [sys.executable, "-m", "mooring_serve", str(project(SLOW))],
            env={**os.environ, name: value},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 2
        assert said in ended.stderr


def test_a_config_that_is_not_clean_is_told_what_makes_it_so(project, tmp_path):
    folder = project(SLOW)
    for written, said in [("{// comment\n}", "not in the clean form"), ('{"apis": [{}]}', "apis[0] has no 'method'")]:
        (folder / "config.json").write_text(written)
        ended = subprocess.run([sys.executable, "-m", "mooring_serve", str(folder)], capture_output=True, text=True)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "mooring config show" in ended.stderr


def test_a_port_that_is_taken_is_told(project, serve):
    served = serve(project(SLOW)).ready()
    ended = subprocess.run(
        [sys.executable, "-m", "mooring_serve", str(project(SLOW))],
        env={**os.environ, "MOORING_PORT": str(served.port), "MOORING_HOST": "127.0.0.1"},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2
    assert "Address already in use" in ended.stdout


def test_standard_error_may_be_a_file(project, tmp_path):
    with tmp_path.joinpath("stderr").open("w") as file:
        file.write("what was there before")
        file.flush()
        server = subprocess.Popen(
            [sys.executable, "-m", "mooring_serve", str(project(SLOW))],
            env={**os.environ, "MOORING_PORT": "0"},
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    lines = []
    for line in server.stdout:
        lines.append(line)
        if "worker ready" in line or "worker gone" in line:
            break
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=10)
    assert "worker ready" in lines[-1]


def test_a_log_that_nobody_reads_does_not_stop_the_answers(project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-m", "mooring_serve", str(project(SLOW))],
        env={**os.environ, "MOORING_PORT": str(port), "MOORING_HOST": "127.0.0.1"},
        stdout=writing,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        until(lambda: status_of(port, "GET", "/health") == 200, "healthy")
        for number in range(1500):  # a pipe holds 64 KiB: some 600 lines
            assert status_of(port, "POST", f"/{number}") == 404
        assert b"1499" not in (piece := os.read(reading, 1 << 20))
        assert status_of(port, "POST", "/now-somebody-reads") == 404
        piece = os.read(reading, 1 << 20)
        assert b"log lines left out, nobody reads them lines=" in piece
        assert b"/now-somebody-reads" in piece
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(10)
        os.close(reading)


def status_of(port, method, path):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request(method, path)
            return answer_of(connection.getresponse())[0]
        except ConnectionRefusedError:
            return None
