"""What a caller meets: answers, and errors that say what was expected."""

import contextlib
import json
import re
import socket
from pathlib import Path

import pytest
from served import IMAGES, api, form, until

DOUBLE = """
    from mooring_serve import BadInput, ErrorResponse, Handler

    class Double(Handler):
        def predict(self, x):
            if x == 404:
                raise BadInput("404 is not a number we like")
            if x == 418:
                raise ErrorResponse(418, {"erno": "MR.0105"})
            if x == 500:
                return {}["weights"]
            if x == 501:
                return {"y": {1, 2}, "z": b"bytes"}
            if x == 502:
                return float("nan")
            return {"y": x * 2}
"""
UPLOAD = """
    from mooring_serve import Handler

    class Upload(Handler):
        def predict(self, images):
            told = {"name": images.name, "type": images.content_type, "bytes": len(images.read())}
            return {**told, "start": images.seek(0)}
"""


@pytest.fixture
def double(project, serve):
    return serve(project(DOUBLE)).ready()


def test_a_json_request_is_answered_and_its_id_is_returned_and_logged(double):
    status, body, headers = double.ask("POST", "/", '{"x": 21}', {"x-request-id": "my-id.7"})
    assert (status, body) == (200, {"y": 42})
    assert headers["x-request-id"] == "my-id.7"
    assert headers["content-type"] == "application/json"
    double.line(r"INFO request request_id=my-id\.7 method=POST path=/ status=200")


def test_a_request_id_that_could_forge_a_log_line_is_replaced(double):
    _, _, headers = double.ask("POST", "/", '{"x": 1}', {"x-request-id": "a b=c"})
    assert "a b" not in headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"x": "two"}', "x: expected a number, got a text (two)"),
        ('{"y": 1}', "field 'x' is missing: got y"),
        ("[1]", "the body: expected an object, got an array"),
        ("{x: 1}", "the body is not JSON"),
        ('{"x": 1}{', "the body is not JSON"),
        ("", "the body is empty"),
        (b'{"x": "\xff"}', "the body is not JSON"),
        ('{"a":' * 100_000, "the body is not JSON"),
        ('{"x": 1e999}', "the body is not JSON"),
    ],
)
def test_bad_json_is_a_400_that_says_what_was_expected(double, body, said):
    status, answer, _ = double.ask("POST", "/", body)
    assert status == 400
    assert answer["error_code"] == "INVALID_REQUEST"
    assert said in answer["error_msg"]


def test_the_log_says_why_a_request_was_refused(double):
    double.json("/", {"x": "two\nlines"})
    double.line(r'status=400 code=INVALID_REQUEST reason="x: expected a number')
    double.json("/", {"x": 404})
    double.line(r'status=400 ms=.* code=INVALID_REQUEST reason="404 is not a number we like"')


def test_a_misspelt_setting_is_told(project, serve):
    serve(project(DOUBLE), workres=2).line(r"WARNING unknown setting name=MOORING_WORKRES nearest=MOORING_WORKERS")


def test_errors_of_the_handler_are_answered_in_plain_words(double):
    assert double.json("/", {"x": 404})[:2] == (
        400,
        {"error_code": "INVALID_REQUEST", "error_msg": "404 is not a number we like"},
    )
    assert double.json("/", {"x": 418})[:2] == (418, {"erno": "MR.0105"})
    status, answer, headers = double.json("/", {"x": 500})
    assert status == 500
    assert "KeyError 'weights' (handler.py line 11)" in answer["error_msg"]
    assert headers["x-request-id"] in answer["error_msg"]
    double.line(f"ERROR handler failed request_id={headers['x-request-id']} .*KeyError")
    assert "builtins.bytes" in double.json("/", {"x": 501})[1]["error_msg"]
    assert "not finite" in double.json("/", {"x": 502})[1]["error_msg"]


def test_numpy_results_become_json(project, serve):
    code = """
        import numpy
        from mooring_serve import Handler

        class Numbers(Handler):
            def predict(self, x):
                return {"a": numpy.arange(3), "b": numpy.float32(0.5), "c": [numpy.int64(7)]}
    """
    assert serve(project(code)).ready().json("/", {"x": 1})[1] == {"a": [0, 1, 2], "b": 0.5, "c": [7]}


def test_a_file_arrives_with_its_name_and_content(project, serve):
    served = serve(project(UPLOAD, IMAGES)).ready()
    status, body, _ = served.upload(images=("七.jpg", b"\xff\xd8picture\r\n--x"))
    assert (status, body) == (200, {"name": "七.jpg", "type": "image/jpeg", "bytes": 14, "start": 0})


def test_broken_uploads_are_400s_that_name_the_field(project, serve):
    served = serve(project(UPLOAD, IMAGES)).ready()
    whole, kind = form({"images": ("a.jpg", b"x")})
    cases = [
        (*form({"image": ("a.jpg", b"x")}), 400, "field 'images' is missing"),
        (*form({"images": "a.jpg"}), 400, "came as text (a.jpg), expected a file"),
        (whole + form({"images": ("b", b"y")})[0], kind, 200, ""),  # what follows the end is no part of it
        (whole[:-20], kind, 400, "broken"),
        (whole, "multipart/form-data", 400, "boundary"),
        (whole.replace(b"\r\n\r\n", b"\r\nno colon\r\n\r\n"), kind, 400, "broken"),
        (whole.replace(b'"a.jpg"', b'"a\0.jpg"'), kind, 400, "NUL"),
        (whole.replace(b"--xxBOUNDARYxx--", whole[:-18] + b"--xxBOUNDARYxx--"), kind, 400, "came 2 times"),
        (b"{}", "application/json", 415, "multipart/form-data"),
        (b"images=a.jpg", "application/x-www-form-urlencoded", 400, "expected a file"),
    ]
    for body, content_type, status, said in cases:
        got, answer, _ = served.ask("POST", "/", body, {"content-type": content_type})
        assert got == status, (body, answer)
        assert said in answer.get("error_msg", ""), answer
    assert served.upload(images=("a.jpg", b"x"))[0] == 200


def test_text_fields_of_a_form_are_read_as_the_types_they_declare(project, serve):
    code = """
        from mooring_serve import Handler

        class Fields(Handler):
            def predict(self, images, top, label="none"):
                return {"top": top, "label": label}
    """
    properties = {"images": {"type": "file"}, "top": {"type": "integer"}, "label": {"type": "string"}}
    declared = api(content_type="multipart/form-data", data={"type": "object", "properties": properties})
    served = serve(project(code, declared)).ready()
    assert served.upload(images=("a", b"x"), top="5", label="7")[1] == {"top": 5, "label": "7"}
    assert "expected an integer, got five" in served.upload(images=("a", b"x"), top="five")[1]["error_msg"]
    assert "'top'" in served.upload(images=("a", b"x"))[1]["error_msg"]


def test_unknown_paths_and_methods_are_told_what_there_is(double):
    status, answer, _ = double.ask("GET", "/nothing")
    assert (status, answer["error_code"]) == (404, "NOT_FOUND")
    assert "config.json declares /" in answer["error_msg"]
    status, answer, headers = double.ask("PUT", "/")
    assert (status, answer["error_code"], headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert double.ask("POST", "/health", "{}")[0] == 405


def test_several_apis_reach_their_methods(project, serve):
    code = """
        from mooring_serve import Handler

        class Several(Handler):
            apis = {"POST /v1/odd name": "odd"}
            def predict(self, body): return {"predict": body}
            def greet(self, name="you"): return {"hello": name}
            def a_b(self, x): return {"ab": x}
            def odd(self): return {"odd": True}
    """
    served = serve(
        project(code, api(), api("/greet", "GET"), api("/a/b"), api("/v1/odd name")),
    ).ready()
    assert served.json("/", [1, 2])[1] == {"predict": [1, 2]}
    assert served.ask("GET", "/greet?name=Ann")[1] == {"hello": "Ann"}
    assert served.ask("GET", "/greet")[1] == {"hello": "you"}
    assert served.json("/a/b", {"x": 1})[1] == {"ab": 1}
    assert served.json("/v1/odd%20name", {})[1] == {"odd": True}


def test_pre_predict_and_post_follow_each_other(project, serve):
    code = """
        from mooring_serve import Handler

        class Steps(Handler):
            def pre(self, x): return x + 1
            def predict(self, x): return x * 10
            def post(self, y): return {"y": y}
    """
    assert serve(project(code)).ready().json("/", {"x": 1})[1] == {"y": 20}


def test_a_body_over_the_limit_is_413_with_the_limit_and_is_not_kept(project, serve):
    served = serve(project(DOUBLE), body_limit_bytes=1000).ready()
    status, answer, headers = served.ask("POST", "/", b"x" * 1001)
    assert (status, answer["error_code"]) == (413, "BODY_TOO_LARGE")
    assert "1000 bytes" in answer["error_msg"]
    assert headers["connection"] == "close"
    # Chunked: nobody says beforehand how much will come.
    pieces = (b"x" * 65536 for _ in range(800))
    assert served.ask("POST", "/", pieces)[0] == 413
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    assert peak < 120 * 1024, "50 MB of body must not be in memory"
    assert served.json("/", {"x": 1})[0] == 200


def test_the_413_comes_before_the_body_is_sent(project, serve):
    served = serve(project(DOUBLE), body_limit_bytes=1000).ready()
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        line.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999\r\nexpect: 100-continue\r\n\r\n")
        assert line.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_what_is_not_http_gets_a_400_in_our_form(double):
    for sent in (
        b"\x16\x03\x01 hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", double.port), timeout=10) as line:
            line.sendall(sent)
            answer = line.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400 "), sent
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == "INVALID_REQUEST"


def test_endless_headers_are_refused(double):
    with socket.create_connection(("127.0.0.1", double.port), timeout=10) as line:
        line.sendall(
            b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"".join(b"h%d: %s\r\n" % (n, b"v" * 1000) for n in range(90))
        )
        assert line.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_a_client_that_stalls_is_cut_off(project, serve):
    served = serve(project(DOUBLE), read_timeout_seconds=0.5).ready()
    for sent in (b"", b"POST / HTT", b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
            line.sendall(sent)
            assert not line.recv(65536)


def test_metrics_count_what_happened(double):
    double.json("/", {"x": 1})
    double.json("/", {"x": "a"})
    page = double.ask("GET", "/metrics")[1].decode()
    assert 'mooring_requests_total{api="POST /",status="200"} 1.0' in page
    assert 'mooring_requests_total{api="POST /",status="400"} 1.0' in page
    assert 'mooring_model_seconds_count{api="POST /"} 1.0' in page
    assert 'mooring_queue_seconds_count{api="POST /"} 1.0' in page
    assert "mooring_requests_in_flight 0.0" in page


def test_micro_batches_are_filled_within_the_window(project, serve):
    import concurrent.futures

    code = """
        from mooring_serve import BadInput, Handler

        class Batches(Handler):
            def pre(self, x):
                if x < 0:
                    raise BadInput("negative")
                return x
            def predict_batch(self, batch):
                return [{"y": x * 2, "of": len(batch)} for x in batch]
    """
    served = serve(project(code), batch_size=4, batch_window_ms=500).ready()
    with concurrent.futures.ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda x: served.json("/", {"x": x}), [1, 2, -3, 4]))
    assert [status for status, _, _ in answers] == [200, 200, 400, 200]
    assert [body["y"] for _, body, _ in answers if "y" in body] == [2, 4, 8]
    assert answers[0][1]["of"] == 3, "four calls came, three were good, one batch"
    assert served.json("/", {"x": 5})[1] == {"y": 10, "of": 1}


def test_compressed_bodies_are_refused_rather_than_misread(double):
    assert double.ask("POST", "/", b"\x1f\x8b", {"content-encoding": "gzip"})[0] == 415


def raw(served, sent):
    """All that the server answers to these bytes until it closes, or nothing more comes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        line.sendall(sent)
        line.settimeout(2)
        try:
            while piece := line.recv(65536):
                answer += piece
        except TimeoutError:
            pass
    return answer


def posted(body, *headers):
    head = b"".join(b"%b\r\n" % header for header in (b"host: x", *headers))
    return b"POST / HTTP/1.1\r\n%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


def test_pipelined_requests_are_answered_in_order(double):
    sent = (
        b"".join(posted(b'{"x": %d}' % x) for x in range(5)) + posted(b"{}") + posted(b'{"x": 9}', b"connection: close")
    )
    answer = raw(double, sent)
    assert re.findall(rb'HTTP/1.1 (\d+)|"y": (\d+)', answer) == [
        *(pair for x in range(5) for pair in ((b"200", b""), (b"", b"%d" % (x * 2)))),
        (b"400", b""),
        (b"200", b""),
        (b"", b"18"),
    ]


def test_a_body_over_the_limit_behind_others_does_not_cost_them_their_answers(project, serve):
    served = serve(project(DOUBLE), body_limit_bytes=1000).ready()
    answer = raw(served, posted(b'{"x": 1}') + posted(b"y" * 2000))
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"413"]


@pytest.mark.parametrize(
    ("more", "statuses"),
    [
        (b"\x00\x01 this is no HTTP", [b"200", b"400"]),
        (b"GET /health HTTP/1.1\r\nhost: x\r\n" + b"h: vvvvvv\r\n" * 10_000, [b"200", b"431"]),
    ],
)
def test_bytes_that_are_no_request_do_not_cost_those_before_them_their_answers(double, more, statuses):
    assert re.findall(rb"HTTP/1.1 (\d+)", raw(double, posted(b'{"x": 1}') + more)) == statuses


def test_what_follows_connection_close_does_not_cost_the_answer(double):
    answer = raw(double, posted(b'{"x": 1}', b"connection: close") + posted(b'{"x": 2}'))
    assert b'{"y": 2}' in answer
    assert b'{"y": 4}' not in answer


def test_hundreds_of_requests_in_one_packet_are_all_answered(double):
    (worker,) = double.workers()
    health = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    last = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answer = raw(double, posted(b'{"x": 1}') + health * 1000 + posted(b"{}") * 500 + last)
    assert answer.count(b"HTTP/1.1 200 ") == 1002
    assert answer.count(b"HTTP/1.1 400 ") == 500
    assert double.workers() == [worker]


def test_a_head_or_a_chunk_that_does_not_end_is_cut_off(double):
    beginnings = [
        b"GET /health HTTP/1.1\r\nhost: x\r\nh: ",
        b"GET /health HTTP/1.1\r\nhost: x\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1;extension=",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\ntrailer: ",
    ]
    for beginning in beginnings:
        with socket.create_connection(("127.0.0.1", double.port), timeout=10) as line:
            line.sendall(beginning)
            with contextlib.suppress(OSError):
                for _ in range(64):
                    line.sendall(b"v" * 65536)
                raise AssertionError("4 MiB of it were taken")


def test_bodies_are_let_go_as_soon_as_they_are_answered(project, serve):
    served = serve(project(UPLOAD, IMAGES)).ready()

    def resident():
        return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{served.process.pid}/status").read_text())[1])

    picture = b"x" * 2_000_000
    for _ in range(5):
        served.upload(images=("a.jpg", picture))
    before = resident()
    for number in range(60):
        sent = {"images": ("a.jpg", picture), **({"image": "text"} if number % 2 else {})}
        assert served.upload(**sent)[0] == 200
        assert served.upload(image=("a.jpg", picture))[0] == 400
    assert resident() - before < 40_000, "240 MB of pictures went through"


def test_a_value_of_megabytes_is_not_repeated_in_the_error(double):
    status, answer, _ = double.json("/", {"x": [{"secret": n} for n in range(20_000)]})
    assert (status, answer["error_msg"]) == (400, "x: expected a number, got an array")


def test_silent_connections_make_room_for_new_ones(project, serve):
    served = serve(project(DOUBLE), connections=10).ready()
    with contextlib.ExitStack() as silent:
        for _ in range(30):
            silent.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        assert served.ask("GET", "/health")[0] == 200


def test_a_wish_for_another_protocol_is_ignored(double):
    wish = (b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQAAP__")
    answer = raw(double, posted(b'{"x": 2}', *wish) + posted(b'{"x": 3}', b"connection: close"))
    assert b'{"y": 4}' in answer
    assert b'{"y": 6}' in answer
    chunked = b'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n%b\r\n8\r\n{"x": 5}\r\n0\r\n\r\n'
    assert b'{"y": 10}' in raw(double, chunked % b"".join(b"%b\r\n" % header for header in wish))


def test_http_1_0_is_answered_and_closed(double):
    answer = raw(double, b"GET /health HTTP/1.0\r\n\r\n")
    assert answer.endswith(b'{"health": "true"}')
    assert b"connection: close" in answer


def test_a_client_that_hangs_up_frees_its_place_in_the_queue_and_is_logged(project, serve):
    slow = """
        import time
        from mooring_serve import Handler

        class Slow(Handler):
            def predict(self, x):
                time.sleep(x)
                print("computed", x)
                return x
    """
    served = serve(project(slow), queue_size=1).ready()
    with contextlib.ExitStack() as lines:
        for in_flight, body in enumerate((b'{"x": 1}', b'{"x": 7}'), start=1):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            line.sendall(posted(body))
            told = b"in_flight %d.0" % in_flight
            until(lambda told=told: told in served.ask("GET", "/metrics")[1], "it is in line")
    served.line(r"status=499 code=CLIENT_GONE")
    assert served.json("/", {"x": 0})[0] == 200, "its place is free again"
    assert not any("computed 7" in line for line in served.log)
