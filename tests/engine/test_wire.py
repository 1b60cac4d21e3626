import contextlib
import os
import socket
import threading
import time

import pytest

from mooring.engine.probe import Outcome
from mooring.engine.wire import Connection, Request, Target, exchange, exchange_on


@contextlib.contextmanager
def server(answer):
    """A port of this machine where each connection is handed to `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listening.accept()
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Target("127.0.0.1", listening.getsockname()[1])
        stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listening.getsockname(), 1).close()
        thread.join(5)


def saying(data):
    def answer(connection):
        connection.recv(65536)
        connection.sendall(data)

    return answer


@pytest.mark.parametrize(
    ("said", "outcome", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200", b"hi"),
        (b"HTTP/1.0 503 No\r\n\r\nnot yet", "503", b"not yet"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "200", b"hi"),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", "204", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "closed", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhi", "closed", b""),
        (b"", "closed", b""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "garbled", b""),
        (b"HTTP/1.1 two hundred\r\n\r\n", "garbled", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", "garbled", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi", "closed", b""),
    ],
)
def test_what_came_of_a_request_is_told_exactly(said, outcome, body):
    with server(saying(said)) as target:
        reply = exchange(target, Request("GET", "/"), timeout_seconds=5)
    assert (reply.outcome, reply.body) == (outcome, body)
    assert reply.answered is outcome.isdigit()


OK = b"HTTP/1.1 200 OK\r\n"


def going_on(begin, again, *, pause=0.0):
    def answer(connection):
        with contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(begin)
            while again:
                connection.sendall(again)
                time.sleep(pause)
            connection.recv(1)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        going_on(b"", b""),
        going_on(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.02),
        going_on(OK + b"X: ", b"y", pause=0.02),
        going_on(OK + b"\r\n", b"y", pause=0.02),
        going_on(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: y\r\n", pause=0.02),
    ],
    ids=["silence", "100 Continue", "a header", "a body", "trailers"],
)
def test_a_server_that_drips_hangs_as_one_that_says_nothing(answer):
    with server(answer) as target:
        reply = exchange(target, Request("GET", "/"), timeout_seconds=0.3)
    assert reply.outcome == "hung"
    assert reply.as_answer().outcome is Outcome.SILENT


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: y\r\n" * 10000),
    ],
    ids=["100 Continue", "trailers"],
)
def test_a_server_that_pours_without_end_is_heard_only_so_long(begin, again):
    with server(going_on(begin, again)) as target:
        reply = exchange(target, Request("GET", "/"), timeout_seconds=60)
    assert (reply.outcome, reply.detail) == ("garbled", "more than 16 MiB and no end")


def test_of_a_body_without_end_the_beginning_is_read():
    with server(going_on(OK + b"\r\n", b"x" * 65536)) as target:
        reply = exchange(target, Request("GET", "/"), timeout_seconds=60)
    assert (reply.outcome, reply.cut, len(reply.body)) == ("200", True, 8 << 20)


def test_nobody_at_the_address_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert exchange(Target("127.0.0.1", port), Request("GET", "/"), timeout_seconds=5).outcome == "refused"


def test_an_answer_that_comes_before_the_whole_body_was_sent_is_heard():
    def early(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.recv(1)

    with server(early) as target:
        reply = exchange(target, Request("POST", "/", body=b"x" * 20_000_000), timeout_seconds=10)
    assert reply.outcome == "413"


def test_a_kept_connection_carries_a_second_request():
    def two(connection):
        for _ in range(2):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with server(two) as target, contextlib.closing(Connection(target, timeout_seconds=5)) as connection:
        replies = [
            exchange_on(connection, target, Request("GET", "/"), deadline=time.monotonic() + 5, keep=True)
            for _ in range(2)
        ]
    assert [reply.body for reply in replies] == [b"hi", b"hi"]
    assert not replies[0].closing


def test_a_url_names_host_port_protocol_and_the_path_before_every_api():
    assert Target.of("https://models.example/v1/infers/7/") == Target(
        "models.example", 443, tls=True, path="/v1/infers/7"
    )
    head = Request("POST", "/predict", {"Content-Type": "text/plain"}, b"abc").head(Target("::1", 8080, path="/base"))
    assert head.startswith(b"POST /base/predict HTTP/1.1\r\nHost: [::1]:8080\r\n")
    assert b"\r\nContent-Length: 3\r\n" in head


def test_it_asks_in_a_process_that_has_a_thousand_connections():
    with contextlib.ExitStack() as many, server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as target:
        for _ in range(1024):
            many.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        assert exchange(target, Request("GET", "/"), timeout_seconds=5).outcome == "200"
