import contextlib
import socket
import threading

import pytest

from mooring.engine.probe import Answer, Outcome, speaks_tls


def answered(status, body=""):
    return Answer(Outcome.ANSWERED, status=status, body=body)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (204, True), (302, False), (404, False), (503, False)])
def test_the_status_decides_what_healthy_is(status, ok):
    assert answered(status, '{"health": "true"}').ok is ok


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"reason": "still\\n loading"}', "still loading"),
        ("still\nloading", "still loading"),
        ("[" * 60_000, "[" * 60_000),
        ('{"reason": ' + "1" * 50_000 + "}", '{"reason": ' + "1" * 50_000 + "}"),
    ],
)
def test_the_reason_is_taken_from_json_or_is_the_body_itself(body, reason):
    assert answered(503, body).reason == reason


def test_a_plain_server_does_not_speak_tls():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            with contextlib.suppress(OSError), server.accept()[0] as line:
                line.recv(65536)
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        assert not speaks_tls(*server.getsockname())
        thread.join()
