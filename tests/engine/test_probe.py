import contextlib
import http.server
import socket
import threading

import pytest

from mooring.engine.probe import Outcome, ask, speaks_tls


@contextlib.contextmanager
def talker(said):
    """A server that reads a request, says these bytes (None: nothing, and keeps the line open) and closes."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            with contextlib.suppress(OSError):
                while True:
                    line, _ = server.accept()
                    with line:
                        line.recv(65536)
                        if said is None:
                            done.wait(30)
                        else:
                            line.sendall(said)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            done.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"", Outcome.CLOSED),
        (None, Outcome.SILENT),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Outcome.NOT_HTTP),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Outcome.ANSWERED),
    ],
)
def test_what_a_server_does_with_a_question_is_told_apart(said, outcome):
    with talker(said) as port:
        assert ask(f"http://127.0.0.1:{port}/health", timeout_seconds=0.5).outcome is outcome


def test_a_port_that_nobody_listens_on_refuses():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ask(f"http://127.0.0.1:{port}/", timeout_seconds=1).outcome is Outcome.REFUSED


def test_the_status_decides_what_healthy_is_and_the_body_is_kept():
    class Unwell(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(503, "still loading")

        def log_message(self, *words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Unwell) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            answer = ask(f"http://127.0.0.1:{server.server_port}/health", timeout_seconds=5)
        finally:
            server.shutdown()
            thread.join()
    assert (answer.status, answer.ok) == (503, False)
    assert "still loading" in answer.body


def test_a_plain_server_does_not_speak_tls():
    with talker(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert not speaks_tls("127.0.0.1", port)
